import { afterAll, beforeAll, expect, test } from 'vitest'
import { textType, toBinaryArray, tsvectorType } from './binary-array.ts'
import type { Db, TenantDb } from './index.ts'
import { readVectorTypes, toVectorBytes } from './tenant/space.ts'
import { countTerms, readTerms, toLex, toSparse } from './tenant/terms.ts'
import { createTestTenant, openTestDb } from './testing/open-test-db.ts'

let db: Db
let tenant: TenantDb
beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
})
afterAll(() => db.close())

const read = (type: string, array: Buffer) => tenant.transaction(async (tx) => (await tx.query<{ cell: string | null }>(`select cell::text from unnest($1::${type}[]) as cell`, [array])).map(({ cell }) => cell))
const types = () => tenant.transaction(readVectorTypes)

test('texts arrive as they are, with quotes, commas, braces and none at all', async () => {
  const texts = ['plain', '', 'a "quoted", {braced} \\ text', 'zwölf 三 😀\n', null]
  expect(await read('text', toBinaryArray(textType, texts.map((text) => (text === null ? null : Buffer.from(text)))))).toEqual(texts)
  expect(await read('text', toBinaryArray(textType, []))).toEqual([])
})

test('vectors arrive as the nearest values that PostgreSQL has of them', async () => {
  const vector = Array.from({ length: 1024 }, (_, at) => Math.sin(at + 1) / 7)
  const { vector: type } = await types()
  const [cell] = await read('vector', toBinaryArray(type, [toVectorBytes(vector)]))
  expect((JSON.parse(cell!) as number[]).map(Math.fround)).toEqual(vector.map(Math.fround))
})

test('a vector that no index could hold is refused', () => {
  for (const odd of [Number.NaN, Infinity, -1e39]) expect(() => toVectorBytes([...Array.from({ length: 1023 }, () => 0), odd])).toThrow(/not a number, or far too large/)
})

test('lexemes and weights are those of the terms, whatever their order', async () => {
  const counts = countTerms(['beta', 'alpha', 'gamma', 'alpha', ...Array.from({ length: 40 }, (_, at) => `word${at}`)])
  const hashes = [...counts.frequencies.keys()]
  expect(await read('tsvector', toBinaryArray(tsvectorType, [toLex(counts), null]))).toEqual([hashes.map((hash) => `'${hash}'`).sort().join(' '), null])
  const [sparse] = await read('sparsevec', toBinaryArray((await types()).sparsevec, [toSparse(counts, 30)]))
  const known = readTerms(sparse!, counts.length, 30)
  expect([...known.frequencies]).toEqual(hashes.sort((left, right) => left - right).map((hash) => [hash, counts.frequencies.get(hash)]))
})
