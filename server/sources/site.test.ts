import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startFakeSite } from '../testing/fake-site.ts'
import type { FakeSite } from '../testing/fake-site.ts'
import { listenOnLoopback } from '../testing/listen-on-loopback.ts'
import { isPublicAddress, lookupPublic } from './public-address.ts'
import { createOpenSite } from './site.ts'
import type { SiteOptions } from './site.ts'

let fake: FakeSite
let host: string
beforeAll(async () => {
  fake = await startFakeSite({ authorization: 'Bearer t', answer: ({ path }) => (path === '/base/thing' ? { json: { ok: true } } : null) })
  host = new URL(fake.url).host
})
afterAll(() => fake.close())

const open = (base: string, options: SiteOptions = {}) => createOpenSite(options)({ name: 'Wiki', base, credentials: async () => ({ token: 't' }) })
const call = (base: string, options: SiteOptions = {}, path = '/thing') => open(base, options).call({ path, headers: ({ token }) => ({ authorization: `Bearer ${token}` }) })

describe('where a site may lie', () => {
  it.each([
    'https://127.0.0.1', 'https://10.0.0.7', 'https://169.254.169.254/latest', 'https://192.168.1.1', 'https://172.20.0.1', 'https://100.64.0.1', 'https://0.0.0.0', 'https://[::1]', 'https://[fd00::1]', 'https://[fe80::1]',
    'https://[::ffff:127.0.0.1]', 'https://[::ffff:10.0.0.1]', 'https://[64:ff9b::7f00:1]', 'https://2130706433', 'https://0x7f.1', 'https://localhost', 'https://metadata', 'https://vault.internal', 'https://printer.local', 'https://a.localhost',
  ])('not at %s', (base) => {
    expect(() => open(base)).toThrow(expect.objectContaining({ code: 'source-inside', message: expect.stringMatching(/NURA_SOURCE_HOSTS/) as string }))
  })

  it.each(['http://wiki.example.com', 'ftp://wiki.example.com', 'no address', 'https://user:pass@wiki.example.com', 'https://wiki.example.com/?a=b', 'https://wiki.example.com/#x', 'javascript:alert(1)', 'file:///etc/passwd'])('not at %s either', (base) => {
    expect(() => open(base)).toThrow(expect.objectContaining({ code: 'bad-source-url', field: 'url' }))
  })

  it('anywhere that the operator names, and only there', async () => {
    expect(await call(`${fake.url}/base/`, { hosts: [host] })).toEqual({ ok: true })
    expect(() => open(fake.url, { hosts: ['127.0.0.1'] })).toThrow(expect.objectContaining({ code: 'bad-source-url' }))
  })

  it('not where a name leads inside, whichever name', async () => {
    const looked = await new Promise<{ code?: string } | null>((resolve) => lookupPublic('localhost', { all: true }, (error) => resolve(error as { code?: string } | null)))
    expect(looked).toMatchObject({ code: 'source-inside' })
  })

  it.each([['8.8.8.8', true], ['1.1.1.1', true], ['2606:4700::1111', true], ['172.32.0.1', true], ['172.31.255.255', false], ['::ffff:8.8.8.8', true], ['fe80::1%eth0', false], ['name', false]] as const)('%s is of the internet: %s', (address, isPublic) => {
    expect(isPublicAddress(address)).toBe(isPublic)
  })
})

describe('a call', () => {
  const named = (): SiteOptions => ({ hosts: [host] })

  it('follows no redirect, and calls no other host', async () => {
    let reached = 0
    const other = await listenOnLoopback(createServer((_, response) => void (reached++, response.end('{}'))))
    fake.fault = { kind: 'redirect', to: other.url, times: 1 }
    await expect(call(`${fake.url}/base`, named())).rejects.toMatchObject({ code: 'source-refused' })
    await expect(call(fake.url, named(), `@${new URL(other.url).host}/x`)).rejects.toThrow()
    expect(reached).toBe(0)
    await other.close()
  })

  it('ends in time, and with the reason of whoever stops it', async () => {
    fake.fault = { kind: 'hang' }
    await expect(call(`${fake.url}/base`, { ...named(), timeoutMs: 50 })).rejects.toMatchObject({ code: 'source-unavailable', retryAt: expect.any(Date) as Date })
    const stop = new AbortController()
    const calling = open(`${fake.url}/base`, named()).call({ path: '/thing', headers: () => ({}), signal: stop.signal })
    const reason = new Error('stopping')
    stop.abort(reason)
    await expect(calling).rejects.toBe(reason)
    fake.fault = null
  })

  it('reads no more than it may', async () => {
    await expect(call(`${fake.url}/base`, { ...named(), maxBytes: 3 })).rejects.toMatchObject({ code: 'source-refused', message: expect.stringMatching(/sent more than/) as string })
  })

  it('tells nothing of what the site said', async () => {
    fake.fault = { kind: 'status', status: 500, times: 1 }
    const error = await call(`${fake.url}/base`, named()).catch((thrown: unknown) => thrown)
    expect((error as Error).message).toBe('Wiki does not answer (HTTP 500).')
  })

  it('is one that nobody answers when nobody is there', async () => {
    const gone = await listenOnLoopback(createServer())
    await gone.close()
    await expect(call(gone.url, { hosts: [new URL(gone.url).host] })).rejects.toMatchObject({ code: 'source-unavailable', message: 'Wiki does not answer.' })
  })
})
