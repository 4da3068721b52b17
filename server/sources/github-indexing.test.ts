import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addRepository } from '#db/tenant/repositories.ts'
import { indexSource } from '../indexing/index-changes.ts'
import { lexicalEmbedders } from '../models/lexical.ts'
import type { FakeRepository } from '../testing/fake-github/fake-repository.ts'
import { openTestGithub } from '../testing/open-test-github.ts'
import type { TestGithub } from '../testing/open-test-github.ts'
import { createGithubSource } from './github.ts'
import type { Source } from './source.ts'

let setup: TestGithub
beforeAll(async () => {
  setup = await openTestGithub()
})
afterAll(() => setup.close())

/** A connected repository; `index` brings its index to the head as a process that has just started would, and tells the calls it made. */
async function connect(files: Record<string, string>, more: Pick<Source, 'comparedFrom'> = {}) {
  const { tenant, installation } = await setup.install()
  const repository: FakeRepository = await setup.github.addRepository({ installation, name: 'shop', files })
  const origin = { source: 'github' as const, location: repository.fullName, externalId: repository.id, installationId: installation.id }
  const { id } = await addRepository(tenant, { name: repository.fullName, ...origin })
  async function index() {
    const start = setup.github.calls.length
    const report = await indexSource({ embedders: lexicalEmbedders, log: pino({ level: 'silent' }) }, tenant, { id }, { ...createGithubSource(setup.openApp(), origin), ...more })
    const paths = setup.github.calls.slice(start).map(({ path }) => path.replace(/^\/repos\/[^/]+\/[^/]+/, '').replace(/[0-9a-f]{40}/, 'SHA'))
    return { report, paths }
  }
  return { repository, index }
}

const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`src/f${index}.ts`, `export const value${index} = ${index}\n`]))
const steering = { '.gitattributes': '*.gen.ts linguist-generated\n', CODEOWNERS: '* @acme/all\n' }

test('a first index takes every file from one archive', async () => {
  const { index } = await connect({ ...many(80), ...steering })
  const { report, paths } = await index()
  expect(report.files).toBeGreaterThanOrEqual(80)
  expect(paths.filter((path) => path.startsWith('/tarball'))).toHaveLength(1)
  expect(paths.filter((path) => path.includes('/git/blobs/')).length).toBeLessThanOrEqual(2)
})

test('a push of one file costs five calls', async () => {
  const { repository, index } = await connect({ ...many(60), ...steering })
  await index()
  await repository.commit({ 'src/f7.ts': 'export const changed = true\n' })
  const { report, paths } = await index()
  expect(report).toMatchObject({ files: 1, embedded: 1 })
  expect(paths).toEqual([expect.stringMatching(/access_tokens$/), '', '/commits/heads%2Fmain', '/git/trees/SHA', '/git/blobs/SHA'])
})

test('of a large repository only the folders that differ are asked for', async () => {
  const { repository, index } = await connect({ ...many(60), 'docs/a.md': '# A\n', ...steering }, { comparedFrom: 60 })
  await index()
  await repository.commit({ 'src/f7.ts': 'export const changed = true\n', 'docs/b.md': '# B\n', 'src/f8.ts': null })
  const { report, paths } = await index()
  expect(report).toMatchObject({ files: 2, removed: 1, kept: 0 })
  expect(paths.filter((path) => path.includes('/git/'))).toEqual([...Array.from({ length: 6 }, () => '/git/trees/SHA'), '/git/blobs/SHA', '/git/blobs/SHA'])
  expect((await index()).report).toMatchObject({ kept: 63, files: 0, removed: 0 })
})

test('a folder that is renamed is neither read nor embedded again, and an index that is current reads nothing', async () => {
  const { repository, index } = await connect(many(60))
  await index()
  await repository.commit({}, { moves: [['src', 'lib']] })
  const { report, paths } = await index()
  expect(report).toMatchObject({ files: 0, moved: 60, embedded: 0 })
  expect(paths).toEqual([expect.stringMatching(/access_tokens$/), '', '/commits/heads%2Fmain', '/git/trees/SHA'])
  expect((await index()).report).toMatchObject({ files: 0, moved: 0, removed: 0, embedded: 0 })
})

test('a force push is met by the tree that is there now', async () => {
  const { repository, index } = await connect({ 'a.ts': 'export const a = 1\n' })
  const first = await repository.git('rev-parse', 'main')
  await repository.commit({ 'only-on-old.ts': 'export const old = 1\n' })
  await index()
  await repository.forcePush('main', first)
  expect((await index()).report).toMatchObject({ sha: first, removed: 1, files: 0 })
})
