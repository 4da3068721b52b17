import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, fetch } from 'undici'
import type { Response } from 'undici'
import { NuraError } from '#db/nura-error.ts'
import type { SourceCredentials } from '#db/tenant/source-credentials.ts'
import { lookupPublic, mayBePublic, toInsideError } from './public-address.ts'
import { toRetryAt, toSiteError } from './site-error.ts'

export type SiteAddress = { /** What people call the product. */ name: string; /** Base address as an admin gave it. */ base: string; credentials(): Promise<SourceCredentials> }

/** A call of a site's API. `path` begins with a slash and hangs under the base. */
export type SiteCall = {
  path: string
  method?: 'GET' | 'POST'
  body?: unknown
  headers(credentials: SourceCredentials): Record<string, string>
  signal?: AbortSignal | undefined
}

/** A wiki or tracker as Nura reaches it: under its base address alone, bounded in time and size. */
export type Site = {
  readonly name: string
  /** Without a slash at its end. */
  readonly base: string
  /** Parsed JSON of a good answer. @throws NuraError `source-…`; the signal's reason on abort */
  call(call: SiteCall): Promise<unknown>
  /** The answer whatever its status, its body read; the same guards. For clients that speak for themselves. */
  fetch(call: SiteCall): Promise<{ status: number; headers: Headers; text: string }>
}

export type OpenSite = (address: SiteAddress) => Site

/** `hosts`: those within one's own network that may be asked, with their port where it is not the usual one. */
export type SiteOptions = { hosts?: readonly string[]; now?: () => number; timeoutMs?: number; maxBytes?: number }

const usual = { timeoutMs: 30_000, maxBytes: 32 * 1024 * 1024 }
/** A limit that ends as soon is waited out by the call; a longer wait is the queue's work. */
const shortWaitMs = 5_000
const shortWaits = 3

/**
 * Makes what sites are reached through. Addresses come from admins of tenants, so only https to the internet is asked, whatever a
 * name leads to, and no redirect is followed; hosts that the operator names may be anywhere.
 */
export function createOpenSite({ hosts = [], now = Date.now, timeoutMs = usual.timeoutMs, maxBytes = usual.maxBytes }: SiteOptions = {}): OpenSite {
  const toInternet = new Agent({ connect: { lookup: lookupPublic }, connections: 4 })
  const toNamed = new Agent({ connections: 4 })

  return ({ name, base, credentials }) => {
    const root = toBase(base, hosts)
    const dispatcher = isNamed(root, hosts) ? toNamed : toInternet

    async function send({ path, method = 'GET', body, headers, signal }: SiteCall): Promise<Response> {
      const url = new URL(`${root.href.replace(/\/$/, '')}${path}`)
      if (url.origin !== root.origin) throw new NuraError('source-refused', `${name} told of an address on another host. It was not asked.`)
      const timeout = AbortSignal.timeout(timeoutMs)
      const given = headers(await credentials())
      signal?.throwIfAborted()
      try {
        return await fetch(url, {
          method,
          headers: { accept: 'application/json', 'user-agent': 'nura', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...given },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          redirect: 'manual',
          dispatcher,
          signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        })
      } catch (error) {
        throw toNetworkError(error, name, now(), signal)
      }
    }

    async function read(call: SiteCall, waits = 0): Promise<{ status: number; headers: Headers; text: string }> {
      const response = await send(call)
      const wait = response.status === 429 && waits < shortWaits ? toRetryAt(response.headers.get('retry-after'), now()).getTime() - now() : Infinity
      if (wait <= shortWaitMs) {
        await response.body?.cancel()
        await sleep(wait, undefined, { signal: call.signal }).catch(() => call.signal?.throwIfAborted())
        return read(call, waits + 1)
      }
      try {
        return { status: response.status, headers: response.headers as unknown as Headers, text: await readText(response, maxBytes, name) }
      } catch (error) {
        throw toNetworkError(error, name, now(), call.signal)
      }
    }

    return {
      name,
      base: root.href.replace(/\/$/, ''),
      fetch: (call) => read(call),
      async call(call) {
        const { status, headers, text } = await read(call)
        if (status < 200 || status > 299) throw toSiteError({ name, status, headers, now: now() })
        try {
          return JSON.parse(text) as unknown
        } catch (cause) {
          throw new NuraError('source-refused', `${name} answered with a page instead of data. Check that the address is that of its site, and that the token is one of its API.`, { field: 'url', cause })
        }
      },
    }
  }
}

/** @throws NuraError `bad-source-url`, `source-inside` */
function toBase(base: string, hosts: readonly string[]): URL {
  if (!URL.canParse(base)) throw new NuraError('bad-source-url', 'url: must be the https address of the site, such as https://acme.atlassian.net', { field: 'url' })
  const url = new URL(base)
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new NuraError('bad-source-url', 'url: must be an address alone, without a user, a query or a fragment', { field: 'url' })
  }
  if (isNamed(url, hosts) && /^https?:$/.test(url.protocol)) return url
  if (url.protocol !== 'https:') throw new NuraError('bad-source-url', `url: must begin with https:// unless the operator of Nura names the host in NURA_SOURCE_HOSTS`, { field: 'url' })
  if (!mayBePublic(url.hostname)) throw toInsideError(url.host)
  return url
}

function isNamed(url: URL, hosts: readonly string[]): boolean {
  return hosts.includes(url.host.toLowerCase())
}

async function readText(response: Response, maxBytes: number, name: string): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of response.body ?? []) {
    pieces.push(Buffer.from(piece as Uint8Array))
    size += (piece as Uint8Array).length
    if (size > maxBytes) throw new NuraError('source-refused', `${name} sent more than ${maxBytes / 1024 / 1024} MB at once, which is not read.`)
  }
  return Buffer.concat(pieces).toString('utf8')
}

function toNetworkError(error: unknown, name: string, now: number, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason
  for (let at: unknown = error; at instanceof Error; at = at.cause) if (at instanceof NuraError) return at
  return toSiteError({ name, status: null, now, cause: error })
}
