import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Octokit } from 'octokit'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { blockGithubInstallation } from '#db/shared/github-installations.ts'
import type { FakeRepository } from '../testing/fake-github/fake-repository.ts'
import type { FileChange } from '../testing/fake-github/git-store.ts'
import type { Installation } from '../testing/fake-github/world.ts'
import { createRepository } from '../testing/create-repository.ts'
import type { TestRepository } from '../testing/create-repository.ts'
import { openTestGithub } from '../testing/open-test-github.ts'
import type { TestGithub } from '../testing/open-test-github.ts'
import { sourceContract } from '../testing/source-contract.ts'
import { createGithubSource } from './github.ts'
import type { GithubSourceOptions } from './github.ts'
import { compareGithubTrees, listGithubTree } from './github-tree.ts'
import type { Source } from './source.ts'

let setup: TestGithub
let installation: Installation
let tempDir: string
beforeAll(async () => {
  tempDir = await mkdtemp(join(tmpdir(), 'nura-source-'))
  setup = await openTestGithub()
  installation = (await setup.install()).installation
})
afterAll(async () => {
  await setup.close()
  await rm(tempDir, { recursive: true })
})
afterEach(() => setup.github.clearFaults())

let names = 0
async function add(files?: Record<string, FileChange>): Promise<FakeRepository> {
  return await setup.github.addRepository({ installation, name: `shop-${names++}`, private: true, ...(files ? { files } : {}) })
}

function open({ fullName, id }: { fullName: string; id: number }, options?: GithubSourceOptions): Source {
  return createGithubSource(setup.openApp(), { location: fullName, externalId: id, installationId: installation.id }, { tempDir, ...options })
}

async function readAll(source: Source, blobShas: string[], signal?: AbortSignal): Promise<string[]> {
  const texts: string[] = []
  for await (const { blobSha, bytes } of source.read(blobShas, signal)) {
    expect(blobSha).toBe(blobShas[texts.length])
    texts.push(bytes.toString('latin1'))
  }
  return texts
}

const callsSince = (start: number) => setup.github.calls.slice(start).map(({ method, path }) => `${method} ${path.replace(/^\/repos\/[^/]+\/[^/]+/, '').replace(/[0-9a-f]{40}/, 'SHA')}`)
const leftBehind = () => readdir(tempDir)

describe('a repository on GitHub as a source', () => {
  const pushed = new Map<string, FakeRepository>()

  sourceContract({
    async createRepository(files): Promise<TestRepository> {
      const local = await createRepository(files)
      const remote = await add()
      pushed.set(local.dir, remote)
      const push = () => local.git('push', '--quiet', '--force', remote.store.dir, 'HEAD:refs/heads/main')
      if (files && Object.keys(files).length > 0) await push()
      return {
        ...local,
        async git(...args) {
          const output = await local.git(...args)
          if (args[0] === 'commit') await push()
          return output
        },
        async commit(message) {
          const sha = await local.commit(message)
          await push()
          return sha
        },
      }
    },
    open: ({ dir }) => open(pushed.get(dir)!),
  })
})

test('the head tells the id, the address and who may see it', async () => {
  const repository = await add({ 'a.ts': 'a' })
  const head = await open(repository).head()
  expect(head).toMatchObject({ name: repository.fullName, externalId: repository.id, isPublic: false, url: expect.stringMatching(`/${repository.fullName}$`) as string })
  await repository.setPrivate(false)
  expect(await open(repository).head()).toMatchObject({ isPublic: true })
})

test('the head of a commit of many files is a small answer', async () => {
  const repository = await add(Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`${index}.ts`, 'x'])))
  const start = setup.github.calls.length
  await open(repository).head()
  expect(setup.github.calls.slice(start).find(({ path }) => path.includes('/commits/'))!.query).toMatchObject({ per_page: '1' })
})

test('a push of one file costs five calls, and no more where the attributes are known', async () => {
  const repository = await add({ 'a.ts': 'a', '.gitattributes': '*.gen linguist-generated', 'b.gen': '' })
  const source = open(repository)
  const texts = new Map<string, string>()
  await source.tree((await source.head()).sha, undefined, texts)
  expect([...texts.values()]).toEqual(['*.gen linguist-generated'])

  await repository.commit({ 'a.ts': 'changed' })
  const start = setup.github.calls.length
  const fresh = open(repository)
  const { sha } = await fresh.head()
  const tree = await fresh.tree(sha, undefined, texts)
  expect(tree.map(({ path, generated }) => [path, generated])).toEqual([['.gitattributes', false], ['a.ts', false], ['b.gen', true]])
  expect(await readAll(fresh, [tree[1]!.blobSha])).toEqual(['changed'])
  expect(callsSince(start)).toEqual([`POST /app/installations/${installation.id}/access_tokens`, 'GET ', 'GET /commits/heads%2Fmain', 'GET /git/trees/SHA', 'GET /git/blobs/SHA'])
})

test('a tree too large for one answer is walked, folder by folder', async () => {
  const files = Object.fromEntries(['a.ts', 'b/c.ts', 'b/d/e.ts', 'b/d/f.ts', 'b-a.ts', 'b.ts', 'g/h.ts', 'z.ts'].map((path) => [path, path]))
  const repository = await add(files)
  const whole = await open(repository).tree('main')
  setup.github.fail({ path: /git\/trees/ }, { kind: 'truncated', entries: 2 })
  const walked = await open(repository).tree('main')
  expect(walked).toEqual(whole)
  expect(walked.map(({ path }) => path)).toEqual(['a.ts', 'b-a.ts', 'b.ts', 'b/c.ts', 'b/d/e.ts', 'b/d/f.ts', 'g/h.ts', 'z.ts'])
})

test('two trees are compared along the folders that differ, and what is known of their attributes is not asked for', async () => {
  const repository = await add({ '.gitattributes': '*.gen.ts linguist-generated', 'src/api/a.gen.ts': 'a', 'src/web/b.ts': 'b', 'docs/c.md': 'c' })
  const texts = new Map<string, string>()
  const since = (await open(repository).head()).sha
  await open(repository).tree(since, undefined, texts)
  await repository.commit({ 'src/api/a.gen.ts': 'changed' })
  const source = open(repository)
  const { sha } = await source.head()
  const start = setup.github.calls.length
  expect(await source.difference!(since, sha, undefined, texts)).toMatchObject({ entries: [{ path: 'src/api/a.gen.ts', size: 7, generated: true }], gone: [] })
  expect(callsSince(start)).toEqual(Array.from({ length: 6 }, () => 'GET /git/trees/SHA'))
})

test('trees that differ in too many folders are not compared', async () => {
  const files = (text: string) => Object.fromEntries(Array.from({ length: 105 }, (_, at) => [`folder${at}/a.ts`, text]))
  const repository = await add(files('one'))
  const { sha: since } = await open(repository).head()
  await repository.commit(files('two'))
  const { sha } = await open(repository).head()
  expect(await open(repository).difference!(since, sha)).toBeNull()
})

test('a folder too large for one answer is a clear failure, not a part of it', async () => {
  const server = createServer((_, response) => response.setHeader('content-type', 'application/json').end('{"sha":"","truncated":true,"tree":[]}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const octokit = new Octokit({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  const place = { octokit, owner: 'acme', repo: 'shop', request: { signal: undefined } }
  await expect(listGithubTree(place, 'main')).rejects.toMatchObject({ code: 'tree-too-large', retryable: false })
  expect(await compareGithubTrees(place, 'main~1', 'main')).toBeNull()
})

test('a few contents are asked for one by one, many come from one archive', async () => {
  const paths = Array.from({ length: 60 }, (_, index) => `f/${index}.ts`)
  const repository = await add(Object.fromEntries(paths.map((path) => [path, `text of ${path}`])))
  const source = open(repository)
  const tree = await source.tree((await source.head()).sha)
  const start = setup.github.calls.length
  const few = tree.slice(0, 5)
  expect(await readAll(source, few.map(({ blobSha }) => blobSha))).toEqual(few.map(({ path }) => `text of ${path}`))
  expect(callsSince(start)).toEqual(few.map(() => 'GET /git/blobs/SHA'))
  const next = setup.github.calls.length
  const reversed = tree.toReversed()
  expect(await readAll(source, reversed.map(({ blobSha }) => blobSha))).toEqual(reversed.map(({ path }) => `text of ${path}`))
  expect(callsSince(next)).toEqual(['GET /tarball/SHA', expect.stringMatching(/codeload/)])
  expect(await leftBehind()).toEqual([])
})

test('the same content at several places is asked for once', async () => {
  const repository = await add({ 'a.ts': 'same', 'b.ts': 'other', 'c.ts': 'same' })
  const source = open(repository)
  const tree = await source.tree('main')
  const start = setup.github.calls.length
  expect(await readAll(source, tree.map(({ blobSha }) => blobSha))).toEqual(['same', 'other', 'same'])
  expect(callsSince(start)).toHaveLength(2)
})

test('what an archive leaves out or alters comes as it was committed', async () => {
  const many = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`f/${index}.ts`, `text ${index}`]))
  const repository = await add({
    ...many,
    '.gitattributes': 'left-out.ts export-ignore\nstamp.ts export-subst\nreturns.bat text eol=crlf\n',
    'left-out.ts': 'left out',
    'stamp.ts': '$Format:%H$',
    'returns.bat': 'one\ntwo\n',
    'link.ts': { mode: '120000', content: 'f/0.ts' },
  })
  const source = open(repository)
  const tree = await source.tree((await source.head()).sha)
  const start = setup.github.calls.length
  const texts = await readAll(source, tree.map(({ blobSha }) => blobSha))
  const read = Object.fromEntries(tree.map(({ path }, index) => [path, texts[index]]))
  expect(read).toMatchObject({ ...many, 'left-out.ts': 'left out', 'stamp.ts': '$Format:%H$', 'returns.bat': 'one\ntwo\n', 'link.ts': 'f/0.ts' })
  expect(callsSince(start).filter((call) => call.includes('/git/blobs/'))).toHaveLength(3)
})

test('an archive that unpacks to more than is allowed is refused, and leaves nothing behind', async () => {
  const files = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`${index}.bin`, Buffer.alloc(50_000, index)]))
  const repository = await add(files)
  const source = open(repository, { maxArchiveBytes: 1_000_000 })
  const tree = await source.tree((await source.head()).sha)
  await expect(readAll(source, tree.map(({ blobSha }) => blobSha))).rejects.toMatchObject({ code: 'repository-too-large', retryable: false })
  expect(await leftBehind()).toEqual([])
})

test('a reader of an archive that stops early, and one that is aborted, leave nothing behind', async () => {
  const repository = await add(Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`${index}.ts`, `text ${index}`])))
  const source = open(repository)
  const blobShas = (await source.tree((await source.head()).sha)).map(({ blobSha }) => blobSha)
  for await (const { blobSha } of source.read(blobShas)) {
    expect(blobSha).toBe(blobShas[0])
    expect(await leftBehind()).toEqual([])
    break
  }
  expect(await leftBehind()).toEqual([])

  const stop = new AbortController()
  const reason = new Error('enough')
  setup.github.fail({ path: /codeload/ }, { kind: 'hang' })
  const reading = readAll(source, blobShas, stop.signal).catch((error: unknown) => error)
  const isAsked = () => setup.github.callsTo('GET', /codeload/).at(-1)?.status === 0
  await expect.poll(isAsked).toBe(true)
  stop.abort(reason)
  expect(await reading).toBe(reason)
  expect(await leftBehind()).toEqual([])
})

test('an archive that breaks off is tried again by whoever reads', async () => {
  const repository = await add(Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`${index}.ts`, `text ${index}`])))
  const source = open(repository)
  const blobShas = (await source.tree((await source.head()).sha)).map(({ blobSha }) => blobSha)
  setup.github.fail({ path: /codeload/ }, { kind: 'drop' }, 2)
  await expect(readAll(source, blobShas)).rejects.toMatchObject({ code: 'github-unavailable', retryable: true })
  expect(await readAll(source, blobShas)).toHaveLength(60)
})

test('a renamed repository is read under its new name', async () => {
  const repository = await add({ 'a.ts': 'a' })
  const connected = { fullName: repository.fullName, id: repository.id }
  await repository.rename(`${repository.name}-renamed`)
  const source = open(connected)
  const head = await source.head()
  expect(head).toMatchObject({ name: repository.fullName, externalId: repository.id })
  expect(await source.tree(head.sha)).toHaveLength(1)
})

test('a name that another repository took is not read; the one that is meant is found by its id', async () => {
  const repository = await add({ 'a.ts': 'meant' })
  const connected = { fullName: repository.fullName, id: repository.id }
  await repository.rename(`${repository.name}-renamed`)
  await setup.github.addRepository({ installation, name: connected.fullName.split('/')[1]!, files: { 'b.ts': 'another' } })
  const source = open(connected)
  const head = await source.head()
  expect(head).toMatchObject({ name: repository.fullName, externalId: repository.id })
  expect((await source.tree(head.sha)).map(({ path }) => path)).toEqual(['a.ts'])
  await repository.delete()
  await expect(open(connected).head()).rejects.toMatchObject({ code: 'repository-moved', retryable: false })
})

test('a repository that is gone, or that the installation may not see any more', async () => {
  const repository = await add({ 'a.ts': 'a' })
  await setup.github.removeFrom(installation, repository)
  await expect(open(repository).head()).rejects.toMatchObject({ code: 'repository-gone', retryable: false })
  await repository.delete()
  await expect(open(repository).head()).rejects.toMatchObject({ code: 'repository-gone' })
})

test('a repository whose default branch is gone says so as an empty one does', async () => {
  const repository = await add({ 'a.ts': 'a' })
  await repository.commit({ 'b.ts': 'b' }, { branch: 'other' })
  await repository.setRef('refs/heads/main', null)
  await expect(open(repository).head()).rejects.toMatchObject({ code: 'empty-repository', retryable: false })
})

test('an object that the repository lacks', async () => {
  await expect(readAll(open(await add({ 'a.ts': 'a' })), ['0'.repeat(40)])).rejects.toMatchObject({ code: 'missing-object' })
})

test('a repository without an installation is not read', async () => {
  const source = createGithubSource(setup.openApp(), { location: 'acme/shop', externalId: 1, installationId: null })
  await expect(source.head()).rejects.toMatchObject({ code: 'github-not-installed' })
})

test('a limit in the middle of the contents ends the reading with its moment', async () => {
  const { installation: own } = await setup.install()
  const repository = await setup.github.addRepository({ installation: own, name: 'limited', files: Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`${index}.ts`, `${index}`])) })
  const source = createGithubSource(setup.openApp(), { location: repository.fullName, externalId: repository.id, installationId: own.id })
  const blobShas = (await source.tree('main')).map(({ blobSha }) => blobSha)
  onTestFinished(() => blockGithubInstallation(setup.db, own.id, new Date(0)))
  const read: string[] = []
  const reading = (async () => {
    for await (const { bytes } of source.read(blobShas)) {
      read.push(bytes.toString())
      if (read.length === 10) setup.github.fail({ path: /git\/blobs/, installation: own.id }, { kind: 'secondary', seconds: 30 })
    }
  })()
  await expect(reading).rejects.toMatchObject({ code: 'github-rate-limited', retryable: true, retryAt: expect.any(Date) as Date })
  expect(read.length).toBeGreaterThanOrEqual(10)
  expect(read.length).toBeLessThan(20)
})

test('those who committed to some files: newest first, each once, no bots', async () => {
  const repository = await add()
  const at = (minute: number) => new Date(Date.UTC(2030, 0, 1, 0, minute))
  await repository.commit({ 'a.ts': '1' }, { author: 'ann', at: at(1) })
  await repository.commit({ 'b.ts': '1' }, { author: 'bob', at: at(2) })
  await repository.commit({ 'a.ts': '2' }, { author: 'renovate[bot]', at: at(3) })
  await repository.commit({ 'b.ts': '2' }, { author: 'ann', at: at(4) })
  const sha = await repository.commit({ 'c.ts': '1' }, { author: 'cem', at: at(5) })
  await repository.commit({ 'a.ts': '3' }, { author: 'dan', at: at(6) })
  const people = await open(repository).committers!(['a.ts', 'b.ts'], sha)
  expect(people.map(({ login, at: time }) => [login, time])).toEqual([['ann', at(4)], ['bob', at(2)]])
})
