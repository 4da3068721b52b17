import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { createTestRepository } from '../testing/create-repository.ts'
import { makeFile } from '../testing/make-file.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { edgesTo } from './graph.ts'
import { searchSymbols } from './lookup.ts'
import { writeFiles } from './write-files.ts'

let db: Db
let tenant: TenantDb
beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
})
afterAll(() => db.close())

const frequent = 40_000
type Plan = { Plan: { 'Shared Hit Blocks': number; 'Shared Read Blocks': number } }

/** Pages that one more row of a name touches which so many rows have already. */
async function pagesOfOneMore(table: string, columns: string, values: string): Promise<number> {
  const context = await createTestRepository(tenant)
  await writeFiles(tenant, context, [makeFile('a.ts', ['words'])])
  return tenant.transaction(async (tx) => {
    const insert = `insert into ${table} (repository_id, file_id, ${columns}) select repository_id, id, ${values} from file`
    await tx.query(`${insert}, generate_series(1, ${frequent}) where repository_id = $1`, [context.repositoryId])
    const pages: number[] = []
    for (let round = 0; round < 5; round++) {
      const [told] = await tx.query<{ 'QUERY PLAN': Plan[] }>(`explain (analyze, buffers, format json) ${insert} where repository_id = '${context.repositoryId}'`)
      const { Plan: plan } = told!['QUERY PLAN'][0]!
      pages.push(plan['Shared Hit Blocks'] + plan['Shared Read Blocks'])
    }
    // What others do to the catalogue meanwhile is read again, and counted with some of them.
    return Math.min(...pages)
  })
}

test.each([
  ['edge', 'kind, target, line', `'call', 'everywhere', 1`],
  ['symbol', 'name, name_lower, kind, signature, start_line, end_line', `'toString', 'tostring', 'method', 'toString()', 1, 1`],
])('one more %s of a name that is everywhere costs as little as the first', async (...row) => {
  expect(await pagesOfOneMore(...row)).toBeLessThan(40)
})

test('a name is found whatever its length', async () => {
  const context = await createTestRepository(tenant)
  // Nothing that a page would hold compressed.
  const long = Array.from({ length: 900 }, (_, at) => (at * 7919 * 104_729).toString(36)).join('_')
  const symbol = { name: long, container: null, kind: 'function', signature: 'long', doc: null, startLine: 1, endLine: 1 }
  const edge = { fromSymbol: null, kind: 'call' as const, target: long, line: 3 }
  await writeFiles(tenant, context, [makeFile('long.ts', ['words'], { symbols: [symbol], edges: [edge] })])
  const repositoryIds = [context.repositoryId]
  expect(await searchSymbols(tenant, { names: [long], limit: 5, repositoryIds })).toMatchObject([{ name: long, path: 'long.ts' }])
  expect(await edgesTo(tenant, { names: [long], stems: [], repositoryIds, limit: 5 })).toMatchObject([{ target: long, line: 3 }])
})
