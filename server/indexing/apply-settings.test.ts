import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { readManifest } from '#db/tenant/manifest.ts'
import { addRepository, findRepository } from '#db/tenant/repositories.ts'
import { readSourceFiles } from '#db/tenant/source-files.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { createLog } from '../log.ts'
import { lexicalEmbedder } from '../models/lexical.ts'
import { toEmbedders } from '../models/embedder.ts'
import type { Embedder } from '../models/embedder.ts'
import { createGitSource } from '../sources/git.ts'
import type { Source } from '../sources/source.ts'
import { createRepository } from '../testing/create-repository.ts'
import type { TestRepository } from '../testing/create-repository.ts'
import { indexSource } from './index-changes.ts'
import { defaultSettings } from './settings.ts'

let db: Db
beforeAll(async () => {
  db = await openTestDb()
})
afterAll(() => db.close())

/** An index whose runs tell which paths are live, what was embedded, how many blobs were read, and what was logged. */
async function openIndex(repository: TestRepository) {
  const tenant = await createTestTenant(db)
  const { id } = await addRepository(tenant, { name: repository.dir, source: 'git', location: repository.dir })
  const lines: { msg?: string; blob?: string }[] = []
  const log = createLog({ level: 'warn', process: 'test', destination: { write: (line: string) => void lines.push(JSON.parse(line) as never) } })
  async function run() {
    const [embedded, read]: [string[], string[]] = [[], []]
    const embedder: Embedder = { ...lexicalEmbedder, embed: (texts, kind, signal) => (embedded.push(...texts), lexicalEmbedder.embed(texts, kind, signal)) }
    const git = createGitSource(repository.dir)
    const source: Source = { ...git, read: (shas, signal) => (read.push(...shas), git.read(shas, signal)) }
    const report = await indexSource({ embedders: toEmbedders([embedder]), log }, tenant, { id }, source)
    return { ...report, embedded: embedded.length, read: read.length, live: await livePaths(tenant) }
  }
  return { tenant, id, lines, run, row: async () => (await findRepository(tenant, id))! }
}

async function livePaths(tenant: TenantDb): Promise<string[]> {
  const rows = await tenant.transaction((tx) => tx.query<{ path: string }>('select distinct source_path as path from knowledge_base where gone_at is null order by 1'))
  return rows.map(({ path }) => path)
}

test('a changed .nura.yml takes files in and out, and nothing else is embedded again', async () => {
  await using repository = await createRepository({ 'src/a.ts': 'export const a = 1\n', 'src/b.ts': 'export const b = 2\n', 'docs/old/c.md': '# C\n\nOld.\n', 'logo.png': 'x' })
  const index = await openIndex(repository)
  expect((await index.run()).live).toEqual(['docs/old/c.md', 'src/a.ts', 'src/b.ts'])
  expect(await index.row()).toMatchObject({ settings: null, settingsSha: null, settingsFault: null })

  await repository.write({ '.nura.yml': 'ignore: [docs/old, src/b.ts]\n' })
  await repository.commit()
  const ignoring = await index.run()
  expect(ignoring.live).toEqual(['.nura.yml', 'src/a.ts'])
  expect(ignoring).toMatchObject({ embedded: 1, skipped: { ignored: 2, binary: 1 } })
  expect((await readManifest(index.tenant, index.id)).get('src/b.ts')).toMatchObject({ skipReason: 'ignored' })
  expect((await index.row()).settings).toEqual({ ...defaultSettings, ignore: ['docs/old', 'src/b.ts'] })
  expect(await index.run()).toMatchObject({ embedded: 0, read: 0, files: 0 })

  await repository.write({ '.nura.yml': 'include: [src]\n' })
  await repository.commit()
  const including = await index.run()
  expect(including.live).toEqual(['src/a.ts', 'src/b.ts'])
  // What comes back within its grace costs no embedding.
  expect(including).toMatchObject({ embedded: 0, skipped: { 'not-included': 2, binary: 1 } })

  await repository.remove('.nura.yml')
  await repository.commit()
  expect((await index.run()).live).toEqual(['docs/old/c.md', 'src/a.ts', 'src/b.ts'])
  expect(await index.row()).toMatchObject({ settings: null, settingsSha: null })
})

test('a file that is faulty from the start leaves the defaults in force, and is said once for each version', async () => {
  await using repository = await createRepository({ 'a.ts': 'a\n', '.nura.yml': 'ignroe: [a.ts]\n' })
  const index = await openIndex(repository)
  await index.run()
  await repository.write({ 'b.ts': 'b\n' })
  await repository.commit()
  expect((await index.run()).live).toEqual(['.nura.yml', 'a.ts', 'b.ts'])
  const row = await index.row()
  expect(row.settings).toBeNull()
  expect(row.settingsFault).toMatch(/line 1, `ignroe`: there is no such key/)
  expect(index.lines.map(({ blob }) => blob)).toEqual([row.settingsSha])
  expect(JSON.stringify(index.lines)).not.toContain('ignroe')

  await repository.write({ '.nura.yml': 'ignore: [a.ts]\n' })
  await repository.commit()
  await index.run()
  expect(await index.row()).toMatchObject({ settingsFault: null, settings: { ignore: ['a.ts'] } })
  expect(index.lines).toHaveLength(1)
})

test('a file that becomes faulty leaves in force what was: nothing that was to stay out comes in', async () => {
  await using repository = await createRepository({ 'a.ts': 'a\n', 'secret/plan.md': 'plan\n', '.nura.yml': 'ignore: [secret/]\n' })
  const index = await openIndex(repository)
  await index.run()
  await repository.write({ '.nura.yml': 'ignroe: [secret/]\n' })
  await repository.commit()
  expect((await index.run()).live).not.toContain('secret/plan.md')
  expect(await index.row()).toMatchObject({ settings: { ignore: ['secret/'] }, settingsFault: expect.stringContaining('ignroe') })
  await repository.remove('.nura.yml')
  await repository.commit()
  expect((await index.run()).live).toContain('secret/plan.md')
})

test('only the committed file at the root counts, and a link is none', async () => {
  await using repository = await createRepository({ 'a.ts': 'a\n', 'sub/.nura.yml': 'ignore: [a.ts]\n' })
  const index = await openIndex(repository)
  await repository.write({ '.nura.yml': 'ignore: [a.ts]\n' })
  expect((await index.run()).live).toContain('a.ts')
  await repository.remove('.nura.yml')
  await repository.link('.nura.yml', 'sub/.nura.yml')
  await repository.commit()
  expect((await index.run()).live).toContain('a.ts')
  expect((await index.row()).settingsFault).toContain('no regular file')
})

test('the files that steer are kept whole and read once', async () => {
  const files = { 'a.ts': 'a\n', '.gitattributes': 'x.ts linguist-generated\n', 'sub/.gitattributes': '* -text\n', '.github/CODEOWNERS': '* @acme/all\n', 'docs/CODEOWNERS': '* @acme/docs\n', 'other/CODEOWNERS': 'no\n' }
  await using repository = await createRepository(files)
  const index = await openIndex(repository)
  await index.run()
  expect((await readSourceFiles(index.tenant, index.id)).map(({ path, content }) => [path, content])).toEqual([
    ['.gitattributes', files['.gitattributes']],
    ['.github/CODEOWNERS', files['.github/CODEOWNERS']],
    ['docs/CODEOWNERS', files['docs/CODEOWNERS']],
    ['sub/.gitattributes', files['sub/.gitattributes']],
  ])
  await repository.write({ 'a.ts': 'b\n' })
  await repository.commit()
  expect((await index.run()).read).toBe(1)
  await repository.remove('.github/CODEOWNERS')
  await repository.commit()
  expect((await index.run()).read).toBe(0)
  expect((await readSourceFiles(index.tenant, index.id)).map(({ path }) => path)).not.toContain('.github/CODEOWNERS')
})
