import { createServer } from 'node:http'
import { createServer as createTrap } from 'node:net'
import type { AddressInfo } from 'node:net'
import { SignJWT, UnsecuredJWT, generateKeyPair } from 'jose'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { FakeRepository } from '#server/testing/fake-github/fake-repository.ts'
import type { Installation } from '#server/testing/fake-github/world.ts'
import { listenOnLoopback } from '#server/testing/listen-on-loopback.ts'
import { startGithubDeployment } from '../testing/start-github-deployment.ts'
import type { GithubDeployment } from '../testing/start-github-deployment.ts'

/** Whole processes start and are waited for here, on machines that do other things too. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 400_000 })

/** Whoever reaches the port of a process on a public host: without a token, with that of something else, with an address to call. */
const secret = 'a service secret that is long enough to be one'
const metricsToken = 'a token of an operator that is long enough to be one'.replaceAll(' ', '-')
let nura: GithubDeployment
let initech: Installation
let reports: FakeRepository
/** Stands for everything within the network: counts whoever comes. */
let connections = 0
const trap = createTrap((socket) => {
  connections++
  socket.destroy()
})
/** A wiki that the operator allows, and that sends whoever asks to the trap. */
let redirector: Awaited<ReturnType<typeof listenOnLoopback>>
let asked = 0
beforeAll(async () => {
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve))
  redirector = await listenOnLoopback(
    createServer((_, response) => {
      asked++
      response.writeHead(302, { location: `http://127.0.0.1:${trapPort()}/latest/meta-data/` }).end()
    }),
  )
  nura = await startGithubDeployment({
    env: { HOST: '0.0.0.0', NURA_METRICS_TOKEN: metricsToken, NURA_SOURCE_HOSTS: new URL(redirector.url).host },
    tenants: { acme: 'acme', globex: 'globex' },
    async prepare(github) {
      await github.addInstallation({ account: 'acme' })
      await github.addInstallation({ account: 'globex' })
      initech = await github.addInstallation({ account: 'initech', accountType: 'Organization' })
      reports = await github.addRepository({ installation: initech, name: 'reports', private: true, files: { 'tps.ts': 'export function writeCoverSheet() {}\n' } })
      reports.permit('lumbergh', 'admin')
      reports.permit('milton', 'write')
    },
  })
  Object.assign(nura.github.site, { setupUrl: `${nura.url}/github/setup`, installing: initech.id })
})
afterAll(async () => {
  trap.close()
  await redirector?.close()
  await nura?.close()
})

const trapPort = () => (trap.address() as AddressInfo).port
const seconds = () => Math.floor(Date.now() / 1000)
const good = () => ({ tenant: 'acme', sub: 'slack:T1:U0ALICE', aud: 'nura', exp: seconds() + 300 })
const sign = (claims: Record<string, unknown>, key: string = secret, alg = 'HS256') => new SignJWT(claims).setProtectedHeader({ alg }).sign(new TextEncoder().encode(key))
const get = async (url: string, authorization?: string) => (await fetch(url, authorization === undefined ? {} : { headers: { authorization } })).status

/** Begins to connect; where it is not `installation`, an account of a person. @returns where their browser is sent */
async function begin(kind: 'installation' | 'person', tenant = 'acme', sub = 'slack:T1:U0ALICE'): Promise<URL> {
  const response = await fetch(`${nura.url}/v1/github/connections`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await sign({ ...good(), tenant, sub })}` },
    body: JSON.stringify({ kind, name: 'alice' }),
  })
  expect(response.status).toBe(201)
  return new URL(((await response.json()) as { url: string }).url)
}
const stateOf = (url: URL) => url.searchParams.get('state')!

describe('T28: without a token of the service', () => {
  test('T28: neither API nor metrics nor docs answer on a public host, on any process', async () => {
    const { privateKey } = await generateKeyPair('RS256')
    const without = (...names: string[]) => Object.fromEntries(Object.entries(good()).filter(([name]) => !names.includes(name)))
    const tokens: Record<string, string | undefined> = {
      none: undefined,
      empty: 'Bearer ',
      'another scheme': `Basic ${Buffer.from(`operator:${secret}`).toString('base64')}`,
      'the secret itself': `Bearer ${Buffer.from(secret).toString('base64')}`,
      'another secret': `Bearer ${await sign(good(), 'another secret that is long enough to be one')}`,
      'no secret': `Bearer ${new UnsecuredJWT(good()).encode()}`,
      'alg none with some signature': `Bearer ${new UnsecuredJWT(good()).encode()}AAAA`,
      'another algorithm': `Bearer ${await sign(good(), secret.repeat(2), 'HS512')}`,
      'a key of their own': `Bearer ${await new SignJWT(good()).setProtectedHeader({ alg: 'RS256' }).sign(privateKey)}`,
      'for another service': `Bearer ${await sign({ ...good(), aud: 'slack' })}`,
      'for the steps of a connection': `Bearer ${await sign({ ...good(), aud: 'nura-github-connect' })}`,
      'for nobody': `Bearer ${await sign(without('aud'))}`,
      'a step of a connection': `Bearer ${stateOf(await begin('person'))}`,
      'run out': `Bearer ${await sign({ ...good(), exp: seconds() - 120 })}`,
      'good for an hour': `Bearer ${await sign({ ...good(), exp: seconds() + 3_600 })}`,
      'good for ever': `Bearer ${await sign(without('exp'))}`,
      'not good yet': `Bearer ${await sign({ ...good(), nbf: seconds() + 300 })}`,
      'without a tenant': `Bearer ${await sign(without('tenant'))}`,
      'without an asker': `Bearer ${await sign(without('sub'))}`,
      'with another tenant than text': `Bearer ${await sign({ ...good(), tenant: ['acme'] })}`,
      'a token for metrics that is another': `Bearer ${metricsToken.slice(0, -1)}x`,
    }
    const paths = ['/metrics', '/docs', '/v1/repositories', '/v1/usage']
    for (const [name, token] of Object.entries(tokens)) {
      for (const url of nura.urls) for (const path of paths) expect([401, 404], `${name} at ${path}`).toContain(await get(url + path, token))
      expect(await get(`${nura.url}/v1/repositories`, token), name).toBe(401)
      expect(await get(`${nura.url}/metrics`, token), name).toBe(401)
    }
    // What opens the metrics opens nothing of a tenant, and a token of the service opens both.
    expect(await get(`${nura.url}/v1/repositories`, `Bearer ${metricsToken}`)).toBe(401)
    for (const url of nura.urls) expect(await get(`${url}/metrics`, `Bearer ${metricsToken}`)).toBe(200)
    for (const path of paths) expect(await get(nura.url + path, `Bearer ${await sign(good())}`), path).toBe(200)
  })

  test('T28: there is no console of the queue, of the database or of anything else', async () => {
    for (const url of nura.urls) {
      for (const path of ['/admin', '/admin/queues', '/queues', '/bull', '/arena', '/debug', '/debug/pprof', '/json/list', '/actuator', '/env', '/.env', '/server-status', '/v1/tenants', '/graphql', '/console']) {
        expect(await get(url + path, `Bearer ${await sign(good())}`), path).toBe(404)
      }
    }
  })
})

describe('T27: connecting GitHub', () => {
  const page = async (path: string, query: Record<string, string>, method = 'GET') => {
    const response = await fetch(`${nura.url}/github/${path}?${new URLSearchParams(query).toString()}`, { method, redirect: 'follow' })
    return { status: response.status, html: await response.text() }
  }
  const actionOf = (html: string) => /<form method="post" action="([^"]+)">/.exec(html)?.[1]?.replaceAll('&#38;', '&')
  const connected = async (tenant: string) => (await nura.repositories(tenant)).some(({ name }) => name === 'initech/reports')

  test('T27: a state that was used, forged or is of another step is 400 and joins nothing', async () => {
    nura.github.site.signedIn = nura.github.world.account('lumbergh')
    const used = await begin('person')
    expect((await fetch(used)).status).toBe(200)
    const step = { step: { step: 'confirm-person', githubId: 1, login: 'evil' } }
    const states: Record<string, string> = {
      empty: '',
      'no token': 'abc.def.ghi',
      used: stateOf(used),
      'without a signature': new UnsecuredJWT({ ...step, aud: 'nura-github-connect', jti: 'guess', exp: seconds() + 300 }).encode(),
      'signed with the secret of the service': await sign({ ...step, aud: 'nura-github-connect', jti: 'guess', exp: seconds() + 300 }),
      'a token of the service': await sign(good()),
      'changed by a letter': stateOf(await begin('person')).replace(/.(?=[^.]*$)/, (letter) => (letter === 'A' ? 'B' : 'A')),
    }
    const calls = nura.github.calls.length
    for (const [name, state] of Object.entries(states)) {
      for (const path of ['setup', 'link']) {
        const { status, html } = await page(path, { state, code: 'c', installation_id: String(initech.id), setup_action: 'install' })
        expect(status, `${name} at ${path}`).toBe(400)
        expect(actionOf(html), name).toBeUndefined()
      }
      expect((await page('link', { confirm: state }, 'POST')).status, `${name}, confirmed`).toBe(400)
    }
    expect(nura.github.calls.length).toBe(calls)
    expect(await connected('acme')).toBe(false)
  })

  test('T27: only who administers an installation connects it, to the tenant that asked for it, once, and after agreeing', async () => {
    nura.github.site.signedIn = nura.github.world.account('milton')
    const refused = await fetch(await begin('installation'))
    expect(refused.status).toBe(400)
    expect(await refused.text()).toContain('does not administer')

    nura.github.site.signedIn = nura.github.world.account('lumbergh')
    const url = await begin('installation', 'globex')
    const html = await (await fetch(url)).text()
    const action = actionOf(html)!
    expect(html).toContain('Connect initech to')
    expect([await connected('acme'), await connected('globex')]).toEqual([false, false])
    // Neither the link nor the state of the way there opens it again, in whichever browser.
    expect((await fetch(url)).status).toBe(400)
    expect((await page('link', { confirm: stateOf(url) }, 'POST')).status).toBe(400)
    expect((await fetch(new URL(action, nura.url), { method: 'POST' })).status).toBe(200)
    expect((await fetch(new URL(action, nura.url), { method: 'POST' })).status).toBe(400)
    await nura.indexed('initech/reports', await reports.git('rev-parse', 'HEAD'), 'globex')
    expect(await connected('acme')).toBe(false)

    // It stays where it is when another tenant tries.
    const again = await fetch(await begin('installation', 'acme'))
    const tried = actionOf(await again.text())
    if (tried) expect((await fetch(new URL(tried, nura.url), { method: 'POST' })).status).toBeGreaterThanOrEqual(400)
    expect(await connected('acme')).toBe(false)
  })

  test('T27: who is lured with the link of somebody else is told whose it is, and joins nothing by opening it', async () => {
    nura.github.site.signedIn = nura.github.world.account('lumbergh')
    const lured = await (await fetch(await begin('person', 'acme', 'slack:T1:U0MALLORY'))).text()
    expect(lured).toContain('Link @lumbergh to alice?')
    expect(lured).toContain('slack:T1:U0MALLORY')
    const unlinked = await fetch(`${nura.url}/v1/github/connections/person`, { method: 'DELETE', headers: { authorization: `Bearer ${await sign({ ...good(), sub: 'slack:T1:U0MALLORY' })}` } })
    expect(await unlinked.json()).toEqual({ unlinked: false })
  })
})

describe('T36: an address that somebody gives', () => {
  /** Every way to write an address within the network that a parser of addresses or a resolver may take. */
  const hosts = [
    '127.0.0.1', '127.1', '127.0.0.1.', '2130706433', '0x7f000001', '0x7f.0.0.1', '0177.0.0.1', '017700000001', '0', '0.0.0.0', '[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:7f00:1]', '[::127.0.0.1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]', 'localhost', 'localhost.',
    'a.localhost', '①②⑦.0.0.1', '169.254.169.254', '2852039166', '0xA9FEA9FE', '0251.0376.0251.0376', '[::ffff:169.254.169.254]', '[fd00:ec2::254]', '10.0.0.7', '10.7', '172.16.0.1', '172.31.255.254', '192.168.1.1', '100.64.0.1', '198.18.0.1', '224.0.0.1', '255.255.255.255', '[fc00::1]', '[fe80::1]', '[ff02::1]', 'metadata',
    'metadata.google.internal', 'vault.internal', 'printer.local', 'router.home.arpa',
  ]
  const connect = async (body: Record<string, unknown>) => await nura.api('POST', '/v1/repositories', { token: 'a-token', audience: 'tenant', ...body }, 'acme')
  const confluence = (url: string) => connect({ source: 'confluence', place: 'ENG', url })

  test('T36: within the network is refused before anything is asked, however it is written', async () => {
    const before = await nura.repositories('acme')
    for (const host of hosts) {
      const port = trapPort()
      for (const url of [`https://${host}:${port}`, `https://${host}:${port}/wiki`]) {
        const { status, body } = await confluence(url)
        expect([status, (body as { error: { code: string } }).error.code], url).toEqual([expect.any(Number), expect.stringMatching(/^(source-inside|bad-source-url|bad-input)$/)])
        expect(status, url).toBeGreaterThanOrEqual(400)
        expect(status, url).toBeLessThan(500)
      }
    }
    for (const source of ['jira', 'notion']) {
      for (const host of ['127.0.0.1', '0x7f000001', '[::1]', '169.254.169.254', 'localhost']) {
        const { status, body } = await connect({ source, url: `https://${host}:${trapPort()}`, ...(source === 'jira' ? { place: 'SHOP' } : {}) })
        expect([status, JSON.stringify(body)], `${source} at ${host}`).toEqual([expect.any(Number), expect.stringContaining('source-inside')])
      }
    }
    expect(connections).toBe(0)
    expect(await nura.repositories('acme')).toEqual(before)
  })

  test('T36: of another kind than https to a site is refused, and a folder or a remote is no site', async () => {
    for (const url of [`http://127.0.0.1:${trapPort()}`, `ftp://127.0.0.1:${trapPort()}`, 'file:///etc/passwd', `gopher://127.0.0.1:${trapPort()}/_x`, 'dict://127.0.0.1:11211/stat', 'javascript:alert(1)', `https://user:pass@127.0.0.1:${trapPort()}`, `https://wiki.example.com@127.0.0.1:${trapPort()}`, `//127.0.0.1:${trapPort()}`, `https:\\\\127.0.0.1:${trapPort()}`, 'https://wiki.example.com#@127.0.0.1']) {
      const { status } = await confluence(url)
      expect(status, url).toBeGreaterThanOrEqual(400)
      expect(status, url).toBeLessThan(500)
    }
    for (const path of [`http://127.0.0.1:${trapPort()}/a.git`, `ext::sh -c "curl http://127.0.0.1:${trapPort()}"`, `git://127.0.0.1:${trapPort()}/a`, `ssh://127.0.0.1:${trapPort()}/a`, `--upload-pack=curl http://127.0.0.1:${trapPort()}`, '/etc', '/proc/self']) {
      const { status } = await nura.api('POST', '/v1/repositories', { source: 'git', path }, 'acme')
      expect(status, path).toBeGreaterThanOrEqual(400)
      expect(status, path).toBeLessThan(500)
    }
    expect(connections).toBe(0)
  })

  test('T36: that sends on to the network is not followed there, also where the operator allows it', async () => {
    const before = asked
    const { status, body } = await confluence(redirector.url)
    expect(asked).toBeGreaterThan(before)
    expect(status).toBeGreaterThanOrEqual(400)
    expect(JSON.stringify(body)).not.toContain('meta-data')
    expect(connections).toBe(0)
  })

  test('T36: of a document is where people find it: nobody goes there', async () => {
    const form = new FormData()
    form.set('file', new Blob(['# Vault\n\nThe vault is in the cellar.\n'], { type: 'text/markdown' }), 'vault.md')
    for (const url of [`https://127.0.0.1:${trapPort()}/vault`, 'https://169.254.169.254/latest/']) {
      form.set('url', url)
      const response = await fetch(`${nura.url}/v1/documents`, { method: 'POST', headers: { authorization: `Bearer ${await sign(good())}` }, body: form })
      expect(response.status).toBeLessThan(500)
    }
    expect(connections).toBe(0)
  })
})
