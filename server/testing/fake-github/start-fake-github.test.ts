import { App } from 'octokit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startFakeGithub } from './start-fake-github.ts'
import type { FakeGithub } from './start-fake-github.ts'
import type { Installation } from './world.ts'
import { Octokit } from 'octokit'

let github: FakeGithub
let installation: Installation
let app: App

beforeAll(async () => {
  github = await startFakeGithub()
  installation = await github.addInstallation({ account: 'acme', accountType: 'Organization' })
  app = new App({ appId: github.app.id, privateKey: github.app.privateKey, webhooks: { secret: github.app.webhookSecret }, Octokit: Octokit.defaults({ baseUrl: github.url, throttle: { enabled: false }, retry: { enabled: false } }) })
})
afterAll(() => github.close())

const statusOf = (call: Promise<unknown>) => call.then(() => 'answered', (error: { status: number }) => error.status)

test('the App authenticates, and an installation reads its repository', async () => {
  const repository = await github.addRepository({ installation, name: 'shop', private: true, files: { 'src/a.ts': 'export const a = 1\n', 'README.md': '# Shop\n' } })
  await github.addRepository({ installation: null, owner: 'acme', name: 'hidden', private: true, files: { a: 'a' } })
  expect((await app.octokit.rest.apps.getAuthenticated()).data?.slug).toBe('nura')
  const octokit = await app.getInstallationOctokit(installation.id)
  const at = { owner: 'acme', repo: 'shop' }
  expect((await octokit.rest.repos.get(at)).data).toMatchObject({ id: repository.id, full_name: 'acme/shop', private: true, default_branch: 'main' })
  expect(await statusOf(octokit.rest.repos.get({ owner: 'acme', repo: 'hidden' }))).toBe(404)
  const head = await repository.git('rev-parse', 'main')
  const tree = (await octokit.rest.git.getTree({ ...at, tree_sha: head, recursive: '1' })).data
  expect(tree.tree.map(({ path, type }) => [path, type])).toEqual([['README.md', 'blob'], ['src', 'tree'], ['src/a.ts', 'blob']])
  const blob = (await octokit.rest.git.getBlob({ ...at, file_sha: tree.tree[2]!.sha })).data
  expect(Buffer.from(blob.content, 'base64').toString()).toBe('export const a = 1\n')
  const pull = await repository.openPull({ branch: 'feature/x', files: { 'src/a.ts': 'export const a = 2\n' }, author: 'alice' })
  await pull.comment('bob', 'Nice')
  expect((await octokit.rest.pulls.get({ ...at, pull_number: 1 })).data).toMatchObject({ changed_files: 1, additions: 1, deletions: 1, comments: 1, user: { login: 'alice' } })
  const files = await octokit.paginate(octokit.rest.pulls.listFiles, { ...at, pull_number: 1 })
  expect(files).toMatchObject([{ filename: 'src/a.ts', status: 'modified', patch: '@@ -1 +1 @@\n-export const a = 1\n+export const a = 2' }])
  const made = (await octokit.rest.issues.createComment({ ...at, issue_number: 1, body: 'Hello' })).data
  expect(made).toMatchObject({ user: { login: 'nura[bot]', type: 'Bot' }, performed_via_github_app: { id: github.app.id, slug: 'nura' } })
  const tar = await octokit.rest.repos.downloadTarballArchive({ ...at, ref: head })
  expect((tar.data as ArrayBuffer).byteLength).toBeGreaterThan(100)
  expect(github.unknown).toEqual([])
})
