import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import type { Octokit } from 'octokit'
import { extract } from 'tar-stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRepository } from '../create-repository.ts'
import { createOctokitApp, statusOf } from './create-octokit-app.ts'
import { startFakeGithub } from './start-fake-github.ts'
import type { FakeGithub } from './start-fake-github.ts'
import type { FakeRepository } from './fake-repository.ts'
import type { Installation } from './world.ts'

let github: FakeGithub
let installation: Installation
let octokit: Octokit
let repository: FakeRepository
const at = { owner: 'acme', repo: 'shop' }
const files = {
  'README.md': '# Shop\n',
  'src/cart.ts': 'export const cart = 1\n',
  'src/deep/größe.ts': 'export const size = 2\n',
  logo: Buffer.from([0, 255, 1, 254]),
}

beforeAll(async () => {
  github = await startFakeGithub()
  installation = await github.addInstallation({ account: 'acme', accountType: 'Organization' })
  octokit = await createOctokitApp(github).getInstallationOctokit(installation.id)
  repository = await github.addRepository({ installation, name: 'shop', files })
})
afterAll(() => github.close())

test('the objects are those of git: commit, tree with sizes and modes, blob in base64 and raw', async () => {
  const modes = {
    'bin/run': { mode: '100755', content: '#!/bin/sh\n' },
    link: { mode: '120000', content: 'README.md' },
    lib: { mode: '160000', content: 'a'.repeat(40) },
  } as const
  const head = await repository.commit(modes, { message: 'Add\n\nEvery mode', author: 'alice' })
  expect((await octokit.rest.git.getRef({ ...at, ref: 'heads/main' })).data.object).toMatchObject({ sha: head, type: 'commit' })
  const commit = (await octokit.rest.git.getCommit({ ...at, commit_sha: head })).data
  expect(commit).toMatchObject({
    sha: head,
    message: 'Add\n\nEvery mode',
    tree: { sha: await repository.git('rev-parse', 'main^{tree}') },
  })
  const { data } = await octokit.rest.git.getTree({ ...at, tree_sha: commit.tree.sha, recursive: '1' })
  expect(data.truncated).toBe(false)
  const listed = await repository.git('ls-tree', '-r', '-t', 'main')
  expect(data.tree.map(({ mode, type, sha, path }) => `${mode} ${type} ${sha}\t${path}`).join('\n')).toBe(listed)
  expect(data.tree.find(({ path }) => path === 'src/cart.ts')?.size).toBe(22)
  const logo = data.tree.find(({ path }) => path === 'logo')!
  expect(Buffer.from((await octokit.rest.git.getBlob({ ...at, file_sha: logo.sha })).data.content, 'base64')).toEqual(files.logo)
  // octokit reads what says charset=utf-8 as text, which ruins bytes; the stream is as it came.
  const raw = await octokit.rest.git.getBlob({
    ...at,
    file_sha: logo.sha,
    mediaType: { format: 'raw' },
    request: { parseSuccessResponseBody: false },
  })
  expect(await buffer(raw.data as unknown as ReadableStream<Uint8Array>)).toEqual(files.logo)
  expect(await statusOf(octokit.rest.git.getBlob({ ...at, file_sha: 'b'.repeat(40) }))).toBe(404)
})

test('a tree is cut where the fault says, and its folders can still be walked', async () => {
  github.fail({ path: /\/git\/trees\// }, { kind: 'truncated', entries: 2 })
  const cut = (await octokit.rest.git.getTree({ ...at, tree_sha: 'main', recursive: '1' })).data
  expect([cut.truncated, cut.tree.length]).toEqual([true, 2])
  github.fail({ path: /\/git\/trees\// }, { kind: 'truncated', entries: 2 })
  const flat = (await octokit.rest.git.getTree({ ...at, tree_sha: 'main' })).data
  expect([flat.truncated, flat.tree.map(({ path }) => path).includes('src')]).toEqual([false, true])
})

test('commits tell the accounts that GitHub knows, and follow a path', async () => {
  await repository.commit({ 'src/cart.ts': 'export const cart = 2\n' }, { author: 'bob', message: 'Count two' })
  await repository.commit({ 'README.md': '# The shop\n' }, { author: 'alice' })
  const { data } = await octokit.rest.repos.listCommits({ ...at, path: 'src/cart.ts', per_page: 10 })
  expect(data.map(({ commit, author }) => [commit.message, author?.login ?? null])).toEqual([
    ['Count two', 'bob'],
    ['Begin', null],
  ])
  const head = (await octokit.rest.repos.getCommit({ ...at, ref: 'HEAD' })).data
  expect(head).toMatchObject({
    author: { login: 'alice' },
    files: [{ filename: 'README.md', status: 'modified', additions: 1, deletions: 1 }],
  })
  expect((await octokit.rest.repos.getCommit({ ...at, ref: head.sha.slice(0, 8), mediaType: { format: 'sha' } })).data).toBe(
    head.sha,
  )
  expect([
    await statusOf(octokit.rest.repos.getCommit({ ...at, ref: 'nowhere' })),
    await statusOf(octokit.rest.repos.listCommits({ ...at, sha: 'nowhere' })),
  ]).toEqual([422, 404])
})

test("the archive is what git packs, below GitHub's folder, behind a redirect", async () => {
  const sha = await repository.git('rev-parse', 'main')
  const { data } = await octokit.rest.repos.downloadTarballArchive({ ...at, ref: sha })
  const names: string[] = []
  const unpack = extract()
  unpack.on('entry', ({ name }, stream, next) => {
    names.push(name)
    stream.on('end', next).resume()
  })
  const ended = new Promise<void>((resolve) => unpack.on('finish', resolve))
  unpack.end(gunzipSync(new Uint8Array(data as ArrayBuffer)))
  await ended
  expect(names).toContain(`acme-shop-${sha.slice(0, 7)}/src/deep/größe.ts`)
  expect(github.calls.at(-2)).toMatchObject({ path: `/repos/acme/shop/tarball/${sha}`, status: 302 })
})

test('contents are files, folders, and bytes as they are', async () => {
  const file = (await octokit.rest.repos.getContent({ ...at, path: 'src/deep/größe.ts' })).data as {
    content: string
    sha: string
    type: string
  }
  expect([file.type, Buffer.from(file.content, 'base64').toString('utf8')]).toEqual(['file', files['src/deep/größe.ts']])
  const folder = (await octokit.rest.repos.getContent({ ...at, path: 'src' })).data as { path: string; type: string }[]
  expect(folder.map(({ path, type }) => [path, type])).toEqual([
    ['src/cart.ts', 'file'],
    ['src/deep', 'dir'],
  ])
  expect(
    (await octokit.rest.repos.getContent({ ...at, path: 'README.md', ref: 'main', mediaType: { format: 'raw' } })).data,
  ).toBe('# The shop\n')
  expect(await statusOf(octokit.rest.repos.getContent({ ...at, path: 'gone.ts' }))).toBe(404)
  expect(await statusOf(octokit.rest.repos.getContent({ ...at, path: 'README.md', ref: 'nowhere' }))).toBe(404)
})

test('a comparison starts where the branches parted', async () => {
  const base = await repository.git('rev-parse', 'main')
  const side = await repository.commit(
    { 'src/cart.ts': 'export const cart = 3\n', 'src/new.ts': 'x\n', 'README.md': null },
    { branch: 'side', parent: base, moves: [['logo', 'art/logo']] },
  )
  await repository.commit({ other: 'y' })
  const { data } = await octokit.rest.repos.compareCommitsWithBasehead({ ...at, basehead: 'main...side' })
  expect(data).toMatchObject({
    status: 'diverged',
    ahead_by: 1,
    behind_by: 1,
    total_commits: 1,
    merge_base_commit: { sha: base },
    commits: [{ sha: side }],
  })
  expect(data.files!.map(({ filename, status, patch }) => [filename, status, patch !== undefined])).toEqual([
    ['README.md', 'removed', true],
    ['art/logo', 'renamed', false],
    ['src/cart.ts', 'modified', true],
    ['src/new.ts', 'added', true],
  ])
  expect(data.files![1]!.previous_filename).toBe('logo')
  expect((await octokit.rest.repos.compareCommitsWithBasehead({ ...at, basehead: `${side}...${side}` })).data.status).toBe(
    'identical',
  )
})

test('an empty repository says so', async () => {
  await github.addRepository({ installation, name: 'empty' })
  const empty = { owner: 'acme', repo: 'empty' }
  expect((await octokit.rest.repos.get(empty)).data.default_branch).toBe('main')
  const calls = [
    octokit.rest.repos.listCommits(empty),
    octokit.rest.git.getRef({ ...empty, ref: 'heads/main' }),
    octokit.rest.git.getTree({ ...empty, tree_sha: 'HEAD' }),
  ]
  expect(await Promise.all(calls.map(statusOf))).toEqual([409, 409, 409])
})

test('a checkout on disk can be taken over, even one that stands on no branch', async () => {
  await using checkout = await createRepository({ 'a.ts': 'a\n' })
  const sha = await checkout.git('rev-parse', 'HEAD')
  await checkout.git('checkout', '--quiet', '--detach')
  const taken = await github.addRepository({ installation, name: 'taken', from: checkout.dir })
  expect((await octokit.rest.repos.getCommit({ owner: 'acme', repo: 'taken', ref: 'HEAD' })).data.sha).toBe(sha)
  expect(taken.defaultBranch).toBe('main')
})
