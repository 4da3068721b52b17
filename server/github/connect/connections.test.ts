import { SignJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { findGithubInstallation } from '#db/shared/github-installations.ts'
import { findGithubPerson } from '#db/shared/github-people.ts'
import { connectWorkspace } from '#db/shared/workspaces.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { createLog } from '../../log.ts'
import { startFakeGithub } from '../../testing/fake-github/start-fake-github.ts'
import type { FakeGithub } from '../../testing/fake-github/start-fake-github.ts'
import { openTestServer, signToken, testSecret } from '../../testing/open-test-server.ts'
import type { TestServer } from '../../testing/open-test-server.ts'
import { createGithubApp } from '../app.ts'
import { readGithubConfig } from '../config.ts'
import { createGithubConnections } from './connections.ts'
import { createConnectStates, stateMs } from './states.ts'

let db: Db
let acme: TenantDb
let github: FakeGithub
let server: TestServer
/** Added to the clock of the states. */
let later = 0
const synced: [string, number][] = []
const alice = 'slack:T1:U0ALICE'

beforeAll(async () => {
  db = await openTestDb()
  acme = await createTestTenant(db, 'acme')
  github = await startFakeGithub()
  const config = readGithubConfig(github.env())!
  const log = createLog({ level: 'silent', process: 'test' })
  const states = createConnectStates({ db, secret: testSecret, now: () => new Date(Date.now() + later) })
  const connections = createGithubConnections({ db, github: createGithubApp(config, { db, log }), states, syncInstallation: async (...ids) => void synced.push(ids) })
  server = await openTestServer(db, { connections })
  github.site.setupUrl = `${server.url}/github/setup`
})
beforeEach(() => {
  later = 0
  synced.length = 0
  github.clearFaults()
  github.site.signedIn = github.world.account('octo')
  github.site.declines = false
})
afterAll(async () => {
  await server.close()
  await github.close()
  await db.close()
})

type Seen = { status: number; html: string; headers: Headers; address: string }

/** A browser: follows where it is sent. */
async function open(address: string, method = 'GET'): Promise<Seen> {
  const response = await fetch(address, { method, redirect: 'follow' })
  return { status: response.status, html: await response.text(), headers: response.headers, address: response.url }
}

/** Clicks the one button of a page. */
function agree({ html }: Seen): Promise<Seen> {
  const [, action = '/no-button'] = /<form method="post" action="([^"]+)">/.exec(html) ?? []
  return open(server.url + action.replaceAll('&#38;', '&'), 'POST')
}

async function begin(kind: 'installation' | 'person', { reader = alice, tenant = acme, name = 'alice' } = {}): Promise<string> {
  const response = await fetch(`${server.url}/v1/github/connections`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await signToken(tenant, { sub: reader })}` },
    body: JSON.stringify({ kind, name }),
  })
  expect(response.status).toBe(201)
  const { url, expiresAt } = (await response.json()) as { url: string; expiresAt: string }
  expect(Math.abs(Date.parse(expiresAt) - Date.now() - stateMs)).toBeLessThan(60_000)
  return url
}

/** An installation whose account is the person's own, or an organisation with the repositories that `permissions` speaks of. */
async function install(account: string, permissions: ('admin' | 'write' | 'read' | 'none')[] | 'own') {
  const isOwn = permissions === 'own'
  const installation = await github.addInstallation({ account, accountType: isOwn ? 'User' : 'Organization' })
  for (const [at, permission] of isOwn ? [] : permissions.entries()) {
    const repository = await github.addRepository({ installation, name: `r${at}`, private: true })
    const { permissions: given } = github.world.repositories.get(repository.id)!
    if (permission !== 'none') given.set(github.world.account('octo').id, permission)
  }
  github.site.installing = installation.id
  return installation
}

const countStates = async () => (await db.control((tx) => tx.query('select 1 from github_state'))).length

describe('an installation', () => {
  it('is connected when its administrator agrees, and listed next', async () => {
    const installation = await install('octo-org', ['admin', 'admin'])
    const asked = await open(await begin('installation'))
    expect(asked.status).toBe(200)
    expect(asked.html).toContain('Connect octo-org to «acme»?')
    expect(await findGithubInstallation(db, installation.id)).toBeNull()
    expect(synced).toEqual([])

    const done = await agree(asked)
    expect(done.status).toBe(200)
    expect(done.html).toContain('octo-org is connected')
    expect(await findGithubInstallation(db, installation.id)).toMatchObject({ tenantId: acme.id, account: 'octo-org', accountId: installation.account.id, state: 'active' })
    expect(synced).toEqual([[acme.id, installation.id]])
    expect(github.unknown).toEqual([])
    expect([...github.world.tokens.keys()].filter((token) => token.startsWith('ghu_'))).toEqual([])
  })

  it("of a person's own account needs no repository", async () => {
    const installation = await install('octo', 'own')
    await agree(await open(await begin('installation')))
    expect(await findGithubInstallation(db, installation.id)).toMatchObject({ tenantId: acme.id, account: 'octo' })
  })

  it('is connected with the proof that GitHub sends along, where people sign in while they install', async () => {
    const installation = await install('with-code', ['admin'])
    const state = new URL(await begin('installation')).searchParams.get('state')!
    const code = new URL((await fetch(`${github.url}/login/oauth/authorize?client_id=${github.app.clientId}`, { redirect: 'manual' })).headers.get('location')!).searchParams.get('code')!
    const asked = await open(`${server.url}/github/link?${new URLSearchParams({ state, code, installation_id: String(installation.id), setup_action: 'install' }).toString()}`)
    await agree(asked)
    expect(await findGithubInstallation(db, installation.id)).toMatchObject({ tenantId: acme.id })
  })

  it.each([
    ['may only read one of its repositories', ['read']],
    ['administers one repository and may write another', ['admin', 'write']],
    ['administers one repository and does not see another', ['admin', 'none']],
    ['has nothing to do with it', ['none']],
  ] as const)('is not connected by a person who %s', async (_, permissions) => {
    const installation = await install(`org-${permissions.join('-')}`, [...permissions])
    const refused = await open(await begin('installation'))
    expect(refused.status).toBe(400)
    expect(refused.html).toContain('does not administer')
    expect((await agree(refused)).status).toBe(404)
    expect(await findGithubInstallation(db, installation.id)).toBeNull()
    expect(synced).toEqual([])
  })

  it("without a repository is nobody's to connect", async () => {
    const installation = await install('empty-org', [])
    github.show(installation, 'octo')
    expect((await open(await begin('installation'))).status).toBe(400)
    expect(await findGithubInstallation(db, installation.id)).toBeNull()
  })

  it('that belongs to another tenant stays there', async () => {
    const installation = await install('taken-org', ['admin'])
    const other = await createTestTenant(db, 'zebra')
    await connectWorkspace(db, other.id, { surface: 'github', id: String(installation.id) })
    const refused = await open(await begin('installation'))
    expect(refused).toMatchObject({ status: 400, html: expect.stringContaining('another tenant') as unknown })
    expect(refused.html).not.toContain('zebra')
    expect(await findGithubInstallation(db, installation.id)).toBeNull()
  })

  it('that another tenant connects between the page and the click stays there', async () => {
    const installation = await install('raced-org', ['admin'])
    const asked = await open(await begin('installation'))
    await connectWorkspace(db, (await createTestTenant(db, 'faster')).id, { surface: 'github', id: String(installation.id) })
    expect((await agree(asked)).status).toBe(400)
    expect(await findGithubInstallation(db, installation.id)).toBeNull()
    expect(synced).toEqual([])
  })

  it('that an owner has yet to approve says so, and its link stays good', async () => {
    const installation = await install('asked-org', ['admin'])
    const url = new URL(await begin('installation'))
    const waiting = await open(`${server.url}/github/setup?setup_action=request&state=${url.searchParams.get('state')}`)
    expect(waiting).toMatchObject({ status: 200, html: expect.stringContaining('An owner has to approve it') as unknown })
    expect(await findGithubInstallation(db, installation.id)).toBeNull()
    expect((await agree(await open(url.href))).status).toBe(200)
    expect(await findGithubInstallation(db, installation.id)).toMatchObject({ tenantId: acme.id })
  })

  it('that was changed or made on GitHub itself changes nothing here', async () => {
    const installation = await install('direct-org', ['admin'])
    const at = (query: string) => open(`${server.url}/github/setup?installation_id=${installation.id}&${query}`)
    expect((await at('setup_action=update')).status).toBe(200)
    expect(await at('setup_action=install')).toMatchObject({ status: 400, html: expect.stringContaining('/nura connect github') as unknown })
    expect(await findGithubInstallation(db, installation.id)).toBeNull()
  })
})

describe('an account', () => {
  it('is linked to the person who asked, when its owner agrees', async () => {
    const asked = await open(await begin('person'))
    expect(asked.html).toContain('Link @octo to alice?')
    expect(asked.html).toContain(alice)
    expect(await findGithubPerson(db, acme.id, alice)).toBeNull()
    expect((await agree(asked)).html).toContain('@octo is linked')
    expect(await findGithubPerson(db, acme.id, alice)).toEqual({ githubId: github.world.account('octo').id, login: 'octo' })
  })

  it('is another one after linking again, and none after unlinking', async () => {
    github.site.signedIn = github.world.account('hubot')
    await agree(await open(await begin('person')))
    expect(await findGithubPerson(db, acme.id, alice)).toMatchObject({ login: 'hubot' })
    const unlink = async () => (await fetch(`${server.url}/v1/github/connections/person`, { method: 'DELETE', headers: { authorization: `Bearer ${await signToken(acme, { sub: alice })}` } })).json()
    expect(await unlink()).toEqual({ unlinked: true })
    expect(await unlink()).toEqual({ unlinked: false })
    expect(await findGithubPerson(db, acme.id, alice)).toBeNull()
  })

  it('is not linked by opening the link of somebody else', async () => {
    const mallory = 'slack:T1:U0MALLORY'
    const lured = await open(await begin('person', { reader: mallory, name: 'mallory' }))
    expect(lured.html).toContain('Link @octo to mallory?')
    expect(await findGithubPerson(db, acme.id, mallory)).toBeNull()
  })

  it('is not linked when its owner declines', async () => {
    github.site.declines = true
    expect(await open(await begin('person'))).toMatchObject({ status: 400, html: expect.stringContaining('did not agree') as unknown })
    expect(await findGithubPerson(db, acme.id, alice)).toBeNull()
  })

  it('is not linked while GitHub is away', async () => {
    github.fail({ path: /^\/login\/oauth\/access_token/ }, { kind: 'status', status: 502 })
    expect((await open(await begin('person'))).status).toBe(503)
    expect(await findGithubPerson(db, acme.id, alice)).toBeNull()
  })
})

describe('a state', () => {
  const stateOf = (url: string) => new URL(url).searchParams.get('state')!
  const sign = (secret: string | Buffer, claims: Record<string, unknown>, alg = 'HS256') =>
    new SignJWT(claims).setProtectedHeader({ alg }).setAudience('nura-github-connect').setJti('guess').setExpirationTime('5m').sign(Buffer.from(secret))
  const step = { step: { step: 'confirm-person', githubId: 1, login: 'evil' } }

  const spoilt: [string, () => Promise<string>][] = [
    ['that is empty', async () => ''],
    ['that is no token', async () => 'abc.def.ghi'],
    ['without a signature', async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(step)).toString('base64url')}.`],
    ['under another key', () => sign('x'.repeat(32), step)],
    ['under the service secret itself', () => sign(testSecret, step)],
    ['that is a service token', () => signToken(acme)],
    ['with one letter changed', async () => stateOf(await begin('person')).replace(/.(?=[^.]*$)/, (char) => (char === 'A' ? 'B' : 'A'))],
    ['whose claims were exchanged', async () => {
      const [head, , signature] = stateOf(await begin('person')).split('.')
      const [, claims] = stateOf(await begin('installation')).split('.')
      return [head, claims, signature].join('.')
    }],
    ['that a page has to confirm', async () => {
      const { html } = await open(await begin('person'))
      return new URLSearchParams(/action="\/github\/link\?([^"]+)"/.exec(html)![1]).get('confirm')!
    }],
  ]
  it.each(spoilt)('%s opens nothing and writes nothing', async (_, make) => {
    const installation = await install(`state-org-${Math.random().toString(36).slice(2)}`, ['admin'])
    const state = await make()
    const before = { states: await countStates(), calls: github.calls.length }
    for (const path of ['setup', 'link']) {
      const refused = await open(`${server.url}/github/${path}?${new URLSearchParams({ state, code: 'c', installation_id: String(installation.id) }).toString()}`)
      expect(refused.status).toBe(400)
      expect(refused.html).not.toContain('<form')
    }
    expect({ states: await countStates(), calls: github.calls.length }).toEqual(before)
    expect(await findGithubInstallation(db, installation.id)).toBeNull()
  })

  it.each(['install', 'link'] as const)('of the step "%s" confirms nothing', async (name) => {
    const state = stateOf(await begin(name === 'install' ? 'installation' : 'person', { reader: 'slack:T1:U0NEW' }))
    expect((await open(`${server.url}/github/link?${new URLSearchParams({ confirm: state }).toString()}`, 'POST')).status).toBe(400)
    expect(await findGithubPerson(db, acme.id, 'slack:T1:U0NEW')).toBeNull()
  })

  it('is used once, whoever comes first', async () => {
    const installation = await install('once-org', ['admin'])
    const url = await begin('installation')
    const asked = await open(url)
    expect((await open(url)).status).toBe(400)
    expect((await open(asked.address)).status).toBe(400)
    const clicks = await Promise.all(Array.from({ length: 5 }, () => agree(asked)))
    expect(clicks.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400, 400])
    expect(synced).toEqual([[acme.id, installation.id]])
  })

  it('ends after fifteen minutes, at every step', async () => {
    const [url, started] = [await begin('person'), await open(await begin('person'))]
    later = stateMs + 1000
    expect((await open(url)).status).toBe(400)
    expect((await agree(started)).status).toBe(400)
  })

  it('is good for its own tenant only', async () => {
    const other = await createTestTenant(db, 'theirs')
    await agree(await open(await begin('person', { tenant: other, reader: 'slack:T9:U9' })))
    expect(await findGithubPerson(db, other.id, 'slack:T9:U9')).toMatchObject({ login: 'octo' })
    expect(await findGithubPerson(db, acme.id, 'slack:T9:U9')).toBeNull()
  })

  it('cannot be finished with the code of another sign-in', async () => {
    const stolen = new URL((await fetch(await begin('person'), { redirect: 'manual' })).headers.get('location')!).searchParams.get('code')!
    const own = stateOf(await begin('person', { reader: 'slack:T1:U0MALLORY' }))
    expect(await open(`${server.url}/github/link?${new URLSearchParams({ state: own, code: stolen }).toString()}`)).toMatchObject({ status: 400, html: expect.stringContaining('did not confirm') as unknown })
  })
})

it('leaves no token and no code in the log', async () => {
  const { tokens } = github.world
  const seen: string[] = []
  github.before({ path: /^\/user$/ }, () => void seen.push(...tokens.keys()))
  await agree(await open(await begin('person')))
  expect(seen.filter((token) => token.startsWith('ghu_'))).toHaveLength(1)
  const log = server.lines.join('\n')
  for (const secret of [...seen, github.app.clientSecret, ...github.callsTo('POST', /access_token$/).map(({ body }) => String(body.code))]) expect(log).not.toContain(secret)
})

describe('a page', () => {
  it('loads nothing, is framed nowhere, tells nobody where it came from, and escapes what it shows', async () => {
    github.site.signedIn = github.world.account('"><script>alert(1)</script>')
    const { html, headers } = await open(await begin('person', { name: '<img src=x onerror=alert(1)>' }))
    expect(html).not.toMatch(/<script|<img|<link/)
    expect(html).toContain('&#60;img src=x')
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-robots-tag')).toContain('noindex')
  })

  it('is not there, and nothing can be begun, where GitHub is not configured', async () => {
    const bare = await openTestServer(db)
    expect((await fetch(`${bare.url}/github/setup?state=x`)).status).toBe(404)
    const response = await fetch(`${bare.url}/v1/github/connections`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${await signToken(acme)}` }, body: '{"kind":"person"}' })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'github-not-configured', message: expect.stringContaining('GITHUB_APP_ID') as unknown } })
    await bare.close()
  })
})
