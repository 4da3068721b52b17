import { createPrivateKey, generateKeyPairSync, randomUUID } from 'node:crypto'
import { importPKCS8, SignJWT } from 'jose'
import { Octokit } from 'octokit'
import type { App } from 'octokit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createOctokitApp, statusOf } from './create-octokit-app.ts'
import { startFakeGithub } from './start-fake-github.ts'
import type { FakeGithub } from './start-fake-github.ts'
import type { Installation } from './world.ts'

let github: FakeGithub
let installation: Installation
let app: App
let octokit: Octokit

beforeAll(async () => {
  github = await startFakeGithub()
  installation = await github.addInstallation({ account: 'acme', accountType: 'Organization' })
  app = createOctokitApp(github)
  octokit = await app.getInstallationOctokit(installation.id)
})
afterAll(() => github.close())

test('the App is known by its key, for ten minutes at most', async () => {
  expect((await app.octokit.rest.apps.getAuthenticated()).data).toMatchObject({ id: github.app.id, slug: 'nura' })
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const ask = (token: string | null) => fetch(`${github.url}/app`, { headers: token ? { authorization: `Bearer ${token}` } : {} })
  const now = Math.floor(Date.now() / 1000)
  const sign = (exp: number, key: Parameters<SignJWT['sign']>[0]) =>
    new SignJWT({ iat: now - 30, exp, iss: String(github.app.id) }).setProtectedHeader({ alg: 'RS256' }).sign(key)
  const own = await importPKCS8(toPkcs8(github.app.privateKey), 'RS256')
  const statuses = [
    await sign(now + 590, own),
    await sign(now + 700, own),
    await sign(now - 10, own),
    await sign(now + 590, stranger),
    null,
    'ghs_wrong',
  ].map(async (token) => (await ask(token)).status)
  expect(await Promise.all(statuses)).toEqual([200, 401, 401, 401, 401, 401])
})

test('an installation sees what was chosen for it, until it is suspended or gone', async () => {
  const mine = await github.addRepository({ installation, name: 'mine', private: true, files: { a: 'a' } })
  await github.addRepository({ installation: null, owner: 'acme', name: 'hidden', files: { a: 'a' } })
  const other = await github.addInstallation({ account: 'globex' })
  await github.addRepository({ installation: other, name: 'theirs', private: true, files: { a: 'a' } })
  const { data } = await octokit.rest.apps.listReposAccessibleToInstallation()
  expect(data.repositories.map(({ full_name: name }) => name)).toEqual(['acme/mine'])
  const read = (owner: string, repo: string, client = octokit) => statusOf(client.rest.repos.get({ owner, repo }))
  expect([
    await read('acme', 'mine'),
    await read('ACME', 'Mine'),
    await read('acme', 'hidden'),
    await read('globex', 'theirs'),
  ]).toEqual([200, 200, 404, 404])
  await github.removeFrom(installation, mine)
  expect(await read('acme', 'mine')).toBe(404)

  const doomed = await app.getInstallationOctokit(other.id)
  expect(await read('globex', 'theirs', doomed)).toBe(200)
  await github.suspend(other)
  expect(await read('globex', 'theirs', doomed)).toBe(403)
  expect(await statusOf(app.octokit.rest.apps.createInstallationAccessToken({ installation_id: other.id }))).toBe(403)
  await github.uninstall(other)
  expect(await statusOf(app.octokit.rest.apps.createInstallationAccessToken({ installation_id: other.id }))).toBe(404)
  expect(await statusOf(app.octokit.rest.apps.getInstallation({ installation_id: other.id }))).toBe(404)
  expect((await app.octokit.rest.apps.listInstallations()).data.map(({ id }) => id)).toEqual([installation.id])
})

test('a token made for one repository sees that one, and a permission that was not given is refused', async () => {
  const one = await github.addRepository({ installation, name: 'one', files: { a: 'a' } })
  await github.addRepository({ installation, name: 'two', files: { a: 'a' } })
  const { token } = (
    await app.octokit.rest.apps.createInstallationAccessToken({ installation_id: installation.id, repository_ids: [one.id] })
  ).data
  const narrow = new Octokit({ auth: token, baseUrl: github.url, retry: { enabled: false } })
  expect([
    await statusOf(narrow.rest.repos.get({ owner: 'acme', repo: 'one' })),
    await statusOf(narrow.rest.repos.get({ owner: 'acme', repo: 'two' })),
  ]).toEqual([200, 404])
  installation.permissions = { metadata: 'read' }
  expect(await statusOf(octokit.rest.git.getTree({ owner: 'acme', repo: 'one', tree_sha: 'main' }))).toBe(403)
  installation.permissions = { contents: 'read', issues: 'write', metadata: 'read', pull_requests: 'write' }
  github.expireTokens()
  expect(await statusOf(narrow.rest.repos.get({ owner: 'acme', repo: 'one' }))).toBe(401)
  // octokit keeps its tokens for 59 minutes.
  app = createOctokitApp(github)
  octokit = await app.getInstallationOctokit(installation.id)
  expect(await statusOf(octokit.rest.repos.get({ owner: 'acme', repo: 'one' }))).toBe(200)
})

test('a renamed or transferred repository is found by its id, and by its old name on the way', async () => {
  const moving = await github.addRepository({ installation, name: 'before', files: { a: 'a' } })
  await moving.rename('after')
  await moving.transfer('acme-labs', 'Organization')
  const old = await octokit.request('GET /repos/{owner}/{repo}/commits', { owner: 'acme', repo: 'before', per_page: 1 })
  expect(old.url).toBe(`${github.url}/repositories/${moving.id}/commits?per_page=1`)
  expect((await octokit.request('GET /repositories/{id}', { id: moving.id })).data).toMatchObject({
    full_name: 'acme-labs/after',
    owner: { type: 'Organization' },
  })
  await moving.delete()
  expect(await statusOf(octokit.request('GET /repositories/{id}', { id: moving.id }))).toBe(404)
})

test('lists come in pages, and what is known already costs nothing', async () => {
  const repository = await github.addRepository({ installation, name: 'busy', files: { a: 'a' } })
  const issue = await repository.openIssue({ author: 'alice' })
  for (let count = 0; count < 205; count++) await issue.comment('bob', `Comment ${count}`)
  const at = { owner: 'acme', repo: 'busy', issue_number: issue.number }
  const all = await octokit.paginate(octokit.rest.issues.listComments, { ...at, per_page: 100 })
  expect(all.map(({ body }) => body)).toEqual(Array.from({ length: 205 }, (_, count) => `Comment ${count}`))
  expect((await octokit.rest.issues.listComments({ ...at, per_page: 1000 })).data).toHaveLength(100)
  expect((await octokit.rest.issues.listComments(at)).data).toHaveLength(30)

  const first = await octokit.rest.issues.get(at)
  const left = installation.rate.remaining
  const headers = { 'if-none-match': first.headers.etag! }
  expect(await statusOf(octokit.rest.issues.get({ ...at, headers }))).toBe(304)
  expect(installation.rate.remaining).toBe(left)
  await issue.comment('bob', 'One more')
  expect((await octokit.rest.issues.get({ ...at, headers })).headers['x-ratelimit-remaining']).toBe(String(left - 1))
})

test('what GitHub has no route for is told apart from what is not found', async () => {
  github.unknown.length = 0
  expect(await statusOf(octokit.rest.repos.get({ owner: 'acme', repo: randomUUID() }))).toBe(404)
  expect(github.unknown).toEqual([])
  expect(
    await statusOf(
      octokit.rest.repos.createOrUpdateFileContents({ owner: 'acme', repo: 'one', path: 'a', message: 'm', content: '' }),
    ),
  ).toBe(404)
  expect(github.unknown).toMatchObject([
    { method: 'PUT', path: '/repos/acme/one/contents/a', body: { message: 'm' }, installation: installation.id, status: 404 },
  ])
})

test('below a prefix it is an Enterprise Server', async () => {
  const server = await startFakeGithub({ prefix: '/api/v3' })
  const there = await server.addInstallation({ account: 'acme' })
  await server.addRepository({ installation: there, name: 'shop', files: { a: 'a' } })
  const client = await createOctokitApp(server).getInstallationOctokit(there.id)
  const { data } = await client.rest.repos.get({ owner: 'acme', repo: 'shop' })
  expect([data.url, data.html_url]).toEqual([`${server.url}/repos/acme/shop`, `${server.url.replace('/api/v3', '')}/acme/shop`])
  await server.close()
})

function toPkcs8(pem: string): string {
  return createPrivateKey(pem).export({ type: 'pkcs8', format: 'pem' }).toString()
}
