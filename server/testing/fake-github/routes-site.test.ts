import { createHash } from 'node:crypto'
import type { App } from 'octokit'
import { Octokit } from 'octokit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createOctokitApp, statusOf } from './create-octokit-app.ts'
import type { FakeRepository } from './fake-repository.ts'
import { startFakeGithub } from './start-fake-github.ts'
import type { FakeGithub } from './start-fake-github.ts'
import type { Installation } from './world.ts'

let github: FakeGithub
let installation: Installation
let repository: FakeRepository
let app: App
const callback = 'http://127.0.0.1:1/github/link'

beforeAll(async () => {
  github = await startFakeGithub()
  installation = await github.addInstallation({ account: 'acme', accountType: 'Organization' })
  repository = await github.addRepository({ installation, name: 'shop', private: true, files: { a: 'a' } })
  app = createOctokitApp(github)
  github.site.signedIn = github.world.account('alice')
})
afterAll(() => github.close())

async function visit(path: string, query: Record<string, string>): Promise<URL> {
  const response = await fetch(`${github.url}${path}?${new URLSearchParams(query).toString()}`, { redirect: 'manual' })
  return new URL(response.headers.get('location')!)
}
const authorize = (extra: Record<string, string> = {}) =>
  visit('/login/oauth/authorize', { client_id: github.app.clientId, redirect_uri: callback, state: 'abc', ...extra })
const exchange = async (body: Record<string, string>) => {
  const sent = { client_id: github.app.clientId, client_secret: github.app.clientSecret, redirect_uri: callback, ...body }
  return (await (
    await fetch(`${github.url}/login/oauth/access_token`, {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify(sent),
    })
  ).json()) as Record<string, string>
}

test('a person comes back with a code that is worth one token', async () => {
  const back = await authorize()
  expect([back.origin + back.pathname, back.searchParams.get('state')]).toEqual([callback, 'abc'])
  const code = back.searchParams.get('code')!
  const { access_token: token } = await exchange({ code })
  const user = new Octokit({ auth: token, baseUrl: github.url, retry: { enabled: false } })
  expect((await user.rest.users.getAuthenticated()).data).toMatchObject({ login: 'alice', id: github.world.account('alice').id })
  expect(await exchange({ code })).toMatchObject({ error: 'bad_verification_code' })
  expect(await exchange({ code: (await authorize()).searchParams.get('code')!, client_secret: 'no' })).toMatchObject({
    error: 'incorrect_client_credentials',
  })
  expect(
    await exchange({ code: (await authorize()).searchParams.get('code')!, redirect_uri: 'http://127.0.0.1:1/other' }),
  ).toMatchObject({ error: 'redirect_uri_mismatch' })
  const verifier = 'v'.repeat(43)
  const proof = { code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256' }
  expect(await exchange({ code: (await authorize(proof)).searchParams.get('code')! })).toMatchObject({
    error: 'bad_verification_code',
  })
  expect(await exchange({ code: (await authorize(proof)).searchParams.get('code')!, code_verifier: verifier })).toMatchObject({
    token_type: 'bearer',
  })
  github.site.declines = true
  expect((await authorize()).searchParams.get('error')).toBe('access_denied')
  github.site.declines = false
})

test("octokit's own OAuth client gets along with it", async () => {
  const code = (await authorize()).searchParams.get('code')!
  const octokit = (await app.oauth.getUserOctokit({ code })) as unknown as Octokit
  expect((await octokit.rest.users.getAuthenticated()).data.login).toBe('alice')
})

test('a person sees the installations and repositories that the person may see', async () => {
  const { access_token: token } = await exchange({ code: (await authorize()).searchParams.get('code')! })
  const user = new Octokit({ auth: token, baseUrl: github.url, retry: { enabled: false } })
  const list = async () => (await user.rest.apps.listInstallationsForAuthenticatedUser()).data.installations.map(({ id }) => id)
  const read = () => statusOf(user.rest.repos.get({ owner: 'acme', repo: 'shop' }))
  expect([await list(), await read()]).toEqual([[], 404])
  repository.permit('alice', 'triage')
  expect([await list(), await read()]).toEqual([[installation.id], 200])
  repository.permit('alice', 'none')
  expect([await list(), await read()]).toEqual([[], 404])
  github.show(installation, 'alice')
  expect(await list()).toEqual([installation.id])
})

test('installing comes back to the setup address', async () => {
  github.site.setupUrl = 'http://127.0.0.1:1/github/setup'
  github.site.installing = installation.id
  const back = await visit('/apps/nura/installations/new', { state: 'xyz' })
  expect(Object.fromEntries(back.searchParams)).toEqual({
    installation_id: String(installation.id),
    setup_action: 'install',
    state: 'xyz',
  })
  github.site.authorizesOnInstall = true
  const { access_token: token } = await exchange({
    code: (await visit('/apps/nura/installations/new', { state: 'xyz' })).searchParams.get('code')!,
  })
  expect(token).toMatch(/^ghu_/)
})

test('a permission is that of the role, and unknown people are not found', async () => {
  const octokit = await app.getInstallationOctokit(installation.id)
  const read = async (username: string) => {
    const { data } = await octokit.rest.repos.getCollaboratorPermissionLevel({ owner: 'acme', repo: 'shop', username })
    return [data.permission, data.role_name]
  }
  for (const [login, role] of [
    ['ada', 'admin'],
    ['mae', 'maintain'],
    ['wes', 'write'],
    ['tia', 'triage'],
    ['rob', 'read'],
  ] as const)
    repository.permit(login, role)
  github.world.account('zoe')
  expect([
    await read('ada'),
    await read('mae'),
    await read('wes'),
    await read('tia'),
    await read('rob'),
    await read('zoe'),
  ]).toEqual([
    ['admin', 'admin'],
    ['write', 'maintain'],
    ['write', 'write'],
    ['read', 'triage'],
    ['read', 'read'],
    ['none', 'none'],
  ])
  expect(await statusOf(read('nobody-here'))).toBe(404)
  await repository.setPrivate(false)
  expect(await read('zoe')).toEqual(['read', 'read'])
  expect((await octokit.request('GET /user/{account_id}', { account_id: github.world.account('rob').id })).data).toMatchObject({
    login: 'rob',
  })
})
