import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { createTestRepository } from '../testing/create-repository.ts'
import { makeFile, toWords } from '../testing/make-file.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { finishSync } from './manifest.ts'
import { moveFiles } from './move-files.ts'
import { removeRepository } from './repositories.ts'
import { writeFiles } from './write-files.ts'
import type { EdgeWrite } from './write-files.ts'

let db: Db
beforeAll(async () => void (db = await openTestDb()))
afterAll(() => db.close())

const stemOf = (path: string) => path.replace(/\.[^./]+$/, '')
const toMove = ([from, to]: readonly [string, string]) => ({ from, to, stem: stemOf(to), tokens: { from: toWords(from), to: toWords(to) }, subjects: [`about/${to}`] })

/** All that a path has to do with, ids and frozen means left out. */
async function stateOf(of: TenantDb) {
  return of.transaction(async (tx) => ({
    files: await tx.query('select path, stem, lex::text, token_length from file order by path'),
    chunks: await tx.query('select source_path, ordinal, chunk_key, lex::text from knowledge_base where gone_at is null order by source_path, ordinal'),
    edges: await tx.query('select path, kind, target, line from edge join file on file.id = file_id order by path, kind, target'),
    terms: await tx.query('select hash, chunks, files from term where chunks <> 0 or files <> 0 order by hash'),
    corpus: await tx.query('select chunks, files, chunk_tokens::int, file_tokens::int from corpus'),
  }))
}

const testEdge: EdgeWrite = { kind: 'test', fromSymbol: null, target: 'before', line: 1 }

test('whatever is moved where, the index says what it says of files written there', async () => {
  const name = fc.stringMatching(/^(red|blue|fox|hen)(\/(red|blue|fox|hen)){0,2}$/)
  const text = fc.array(fc.constantFrom('red fox', 'red red hen', 'blue hen runs', 'green'), { minLength: 1, maxLength: 3 })
  const pairs = fc.uniqueArray(fc.tuple(name, name, text), { minLength: 1, maxLength: 6, selector: ([from]) => from })
  const [moved, written] = [await createTestTenant(db), await createTestTenant(db)]
  await fc.assert(
    fc.asyncProperty(pairs, async (all) => {
      const distinct = all.filter(([, to], at) => all.findIndex(([, other]) => other === to) === at)
      const files = distinct.map(([from, to, texts]) => [`${from}.ts`, `${to}.js`, texts] as const)
      const [one, other] = [await createTestRepository(moved), await createTestRepository(written)]
      await writeFiles(moved, one, files.map(([from, , texts]) => makeFile(from, texts, { edges: [testEdge] })))
      await moveFiles(moved, one.repositoryId, one.sha, files.map(([from, to]) => toMove([from, to])))
      await finishSync(moved, one.repositoryId, one.sha, 'any')
      await writeFiles(written, other, files.map(([, to, texts]) => makeFile(to, texts, { edges: [{ ...testEdge, target: `about/${to}` }] })))
      await finishSync(written, other.repositoryId, other.sha, 'any')
      expect(await stateOf(moved)).toEqual(await stateOf(written))
      await Promise.all([removeRepository(moved, one.repositoryId), removeRepository(written, other.repositoryId)])
    }),
    { numRuns: 8 },
  )
})

test('files that moved together still import each other; who stayed names the old place, as its text does', async () => {
  const tenant = await createTestTenant(db)
  const context = await createTestRepository(tenant)
  const imports = (target: string) => ({ edges: [{ kind: 'import' as const, fromSymbol: null, target, line: 1 }] })
  await writeFiles(tenant, context, [makeFile('src/a.ts', ['a'], imports('src/b')), makeFile('src/b.ts', ['b']), makeFile('main.ts', ['main'], imports('src/b'))])
  await moveFiles(tenant, context.repositoryId, context.sha, [['src/a.ts', 'lib/a.ts'], ['src/b.ts', 'lib/b.ts']].map(([from, to]) => ({ ...toMove([from!, to!]), subjects: [] })))
  const { edges } = await stateOf(tenant)
  expect(edges).toEqual([
    { path: 'lib/a.ts', kind: 'import', target: 'lib/b', line: 1 },
    { path: 'main.ts', kind: 'import', target: 'src/b', line: 1 },
  ])
})

test('a chunk whose file moved stays on its page, so that no index has to learn of it', async () => {
  const tenant = await createTestTenant(db)
  const context = await createTestRepository(tenant)
  const names = Array.from({ length: 60 }, (_, at) => `part-${at}`)
  await writeFiles(tenant, context, names.map((name) => makeFile(`src/${name}.ts`, [`text of ${name}`, `more of ${name}`])))
  const pages = () => tenant.transaction((tx) => tx.query('select id, (ctid::text::point)[0] as page from knowledge_base order by id'))
  const before = await pages()
  await moveFiles(tenant, context.repositoryId, context.sha, names.map((name) => toMove([`src/${name}.ts`, `lib/${name}.ts`])))
  expect(await pages()).toEqual(before)
  expect((await stateOf(tenant)).chunks).toHaveLength(120)
})
