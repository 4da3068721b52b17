import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRepository, type TestRepository } from '#server/testing/create-repository.ts'
import type { FiguresResult } from './figures.ts'
import { land } from './testing/land.ts'

const address = 'https://github.com/acme/shop'
let folder: string
let repository: TestRepository

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nura-eval-command-'))
  repository = await createRepository()
  const change = (author: string, number: number | null, subject: string, [authored, committed]: [string, string], path: string, trailers: string[] = []) => {
    const lines = number === null ? trailers : [`PR-URL: ${address}/pull/${number}`, ...trailers]
    return land(repository, { author, authored, committed, files: { [path]: `${number}` }, message: `${subject}\n\n${lines.join('\n')}` })
  }
  await change('Ada', null, 'Begin', ['2020-02-01T10:00:00Z', '2020-02-01T10:00:00Z'], 'src/a.c')
  await change('Ada', 10, 'win: fix a leak', ['2020-02-10T10:00:00Z', '2020-02-12T10:00:00Z'], 'src/a.c', [`Fixes: ${address}/issues/5`, 'Reviewed-By: Grace <grace@example.com>'])
  // A Sunday in Greenwich, and a Monday already in Berlin.
  await change('Grace', 11, 'unix: use less', ['2020-03-04T10:00:00Z', '2020-03-08T23:30:00Z'], 'src/b.c', ['Reviewed-By: Ada <ada@example.com>'])
  await repository.git('tag', 'v1.0.0')
  // From here on it is told by webhooks: the repositories are connected on the 9th of March.
  await change('Grace', 12, 'doc: tell more', ['2020-03-05T09:00:00Z', '2020-03-10T12:00:00Z'], 'docs/a.md')
  await change('Ada', 13, 'win: use more', ['2020-03-09T09:00:00Z', '2020-03-11T09:00:00Z'], 'src/a.c', ['Reviewed-By: Grace <grace@example.com>'])
  // A Sunday in Berlin, and a Monday already in Tokyo.
  await change('Linus', 14, 'unix: begin anew', ['2020-01-20T09:00:00Z', '2020-03-15T22:30:00Z'], 'src/b.c')
  await change('Linus', 15, 'unix: take long', ['2020-02-01T09:00:00Z', '2020-06-01T09:00:00Z'], 'src/b.c')
})
afterAll(async () => {
  await repository[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** The command as an operator calls it. */
async function run(questions: object[]): Promise<{ exit: number; said: string; result: FiguresResult }> {
  const [set, json] = [join(folder, 'set.json'), join(folder, 'result.json')]
  const teams = { core: ['ada'] }
  await writeFile(set, JSON.stringify({ since: '2020-01-01T00:00:00Z', repositories: [{ name: 'shop' }, { name: 'shop-docs', folder: 'docs/' }], teams, questions }))
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), 'managers', '--repo', repository.dir, '--set', set, '--json', json], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said, [exit]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number]>])
  return { exit, said, result: (JSON.parse(await readFile(json, 'utf8')) as { result: FiguresResult }).result }
}

const [before, after] = ['2020-03-09T07:00:00Z', '2020-03-16T08:00:00Z']
const merged = (from: string, to: string, where: object = {}) => ({ of: 'pulls merged', from, to, ...where })
const count = (measure: object, label = 'merged') => ({ label, measure })

test('a history is lived through, and all surfaces say what is counted from git', { timeout: 120_000 }, async () => {
  const { exit, said, result } = await run([
    { question: 'What was merged last week?', at: before, timeZone: 'UTC', figures: [count(merged('2020-03-02', '2020-03-08'))] },
    { question: 'What was merged last week?', at: before, timeZone: 'Europe/Berlin', figures: [count(merged('2020-03-02', '2020-03-08'))] },
    { question: 'How many releases did we publish last week?', at: before, timeZone: 'UTC', figures: [count({ of: 'releases', from: '2020-03-02', to: '2020-03-08' }, 'release')] },
    { question: 'What shipped last week?', at: after, timeZone: 'Europe/Berlin', figures: [count(merged('2020-03-09', '2020-03-15'))] },
    { question: 'What was merged last week?', at: after, timeZone: 'Asia/Tokyo', figures: [count(merged('2020-03-09', '2020-03-15'))] },
    { question: 'Which pull requests have been stuck for more than 30 days?', at: after, timeZone: 'UTC', figures: [count({ of: 'pulls quiet', days: 30 }, 'stuck')] },
    { question: 'How many pull requests by the core team were merged in March?', at: after, timeZone: 'UTC', figures: [count(merged('2020-03-01', '2020-03-31', { team: 'core' }))] },
    { question: 'How many pull requests labelled win were merged in February 2020?', at: after, timeZone: 'UTC', figures: [count(merged('2020-02-01', '2020-02-29', { label: 'win' }))] },
    { question: 'How many pull requests were merged in shop-docs in March?', at: after, timeZone: 'UTC', figures: [count(merged('2020-03-01', '2020-03-31', { repository: 'shop-docs' }))] },
    { question: 'How many issues were closed in February 2020?', at: after, timeZone: 'UTC', figures: [count({ of: 'issues closed', from: '2020-02-01', to: '2020-02-29' }, 'closed')] },
    { question: 'Who reviewed the most in March 2020?', at: after, timeZone: 'UTC', lists: [{ by: 'author', measure: { of: 'reviews', from: '2020-03-01', to: '2020-03-31' } }] },
    { question: 'What did we ship this sprint?', at: after, timeZone: 'UTC', outcome: 'unclear', says: ['sprint'] },
  ])
  expect(result.rows.flatMap(({ question, held }) => held.filter(({ equal }) => !equal).map((each) => ({ question, ...each })))).toEqual([])
  // Counted by us, in the few lines above.
  const told = result.rows.map(({ held }) => held.filter(({ what }) => /^(?:merged|release|stuck|closed|by author: \w+)$/.test(what)).map(({ nura }) => nura).join(' '))
  expect(told).toEqual(['1', '0', '1', '4', '3', '1', '1', '1', '1', '1', '1 1', ''])
  expect(result).toMatchObject({ pulls: 6, issues: 1, releases: 1, differences: 0 })
  expect(said).toMatch(/12 questions, \d+ things held against the history, 0 differ\n$/)
  expect(exit).toBe(0)
})

test('a number that is another one than was counted fails the command, and is told', { timeout: 120_000 }, async () => {
  const { exit, said } = await run([{ question: 'What was merged last week?', at: after, timeZone: 'UTC', figures: [count(merged('2020-02-01', '2020-03-15'))] }])
  expect(said).toMatch(/merged +3 +5 +NO/)
  expect(said).toMatch(/merged: days +2020-03-09 to 2020-03-15 +2020-02-01 to 2020-03-15 +NO/)
  expect(exit).toBe(1)
})
