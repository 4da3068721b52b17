import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { measureGolden, score } from './golden.ts'
import { covers, readGoldenSet } from './golden-set.ts'

let folder: string
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'nura-golden-'))))
afterAll(() => rm(folder, { recursive: true, force: true }))

async function write(set: object): Promise<string> {
  const file = join(folder, 'set.json')
  await writeFile(file, JSON.stringify(set))
  return file
}
const documents = [
  { path: 'src/pay.ts', text: '/** Charges the card of an order. */\nexport function chargeCard(order: string): string {\n  return order\n}\n' },
  { path: 'src/ship.ts', text: '/** Prints the label of a parcel. */\nexport function printLabel(parcel: string): string {\n  return parcel\n}\n' },
]

test('a question finds the chunk that holds the lines it is about, by lines and by excerpt', async () => {
  const file = await write({ documents, questions: [{ question: 'how is the card charged?', golden: [{ path: 'src/pay.ts', startLine: 1, endLine: 4 }] }, { question: 'print the label of a parcel', golden: [{ path: 'src/ship.ts', text: 'export function printLabel' }] }] })
  const { scores, rows, chunks } = await measureGolden(file)
  expect(chunks).toBeGreaterThanOrEqual(2)
  expect(rows.map(({ places }) => places.Nura)).toEqual([[1], [1]])
  expect(scores.Nura).toEqual({ pass5: 1, pass10: 1, pass20: 1, recall3: 1, mrr3: 1 })
})

test('what is not in the documents is told by its name', async () => {
  await expect(readGoldenSet(await write({ documents, questions: [{ question: 'x', golden: [{ path: 'src/gone.ts', startLine: 1, endLine: 2 }] }] }))).rejects.toMatchObject({ code: 'bad-set', message: expect.stringContaining('src/gone.ts') })
  await expect(readGoldenSet(await write({ documents, questions: [{ question: 'x', golden: [{ path: 'src/pay.ts', text: 'refundCard' }] }] }))).rejects.toMatchObject({ code: 'bad-set', message: expect.stringContaining('refundCard') })
  await expect(readGoldenSet(await write({ documents }))).rejects.toMatchObject({ code: 'bad-set' })
})

test('a passage stands for a golden chunk from half of its lines on', () => {
  const golden = { path: 'a', startLine: 10, endLine: 13 }
  expect(covers({ path: 'a', startLine: 1, endLine: 11 }, golden)).toBe(true)
  expect(covers({ path: 'a', startLine: 1, endLine: 10 }, golden)).toBe(false)
  expect(covers({ path: 'b', startLine: 1, endLine: 99 }, golden)).toBe(false)
})

test('shares are of golden chunks, and the place counts that comes first', () => {
  expect(score([[2, 7], [0, 4]])).toEqual({ pass5: 0.5, pass10: 0.75, pass20: 0.75, recall3: 0.25, mrr3: 0.25 })
})
