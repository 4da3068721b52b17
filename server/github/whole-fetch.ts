import type { LRUCache } from 'lru-cache'

/** An answer that was given with an etag, ready to be given again. */
export type KeptAnswer = { etag: string; status: number; headers: [string, string][]; bytes: ArrayBuffer; url: string }
export type AnswerCache = LRUCache<string, KeptAnswer>

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>

/** Larger answers are cheaper to ask for again than to keep. */
const largestKept = 4 * 1024 * 1024
/** Named by what they hold or too large: asking again for the same one is rare. */
const unkept = /\/(git\/blobs|tarball|zipball)\//
const archive = /\/(tarball|zipball)\//

/**
 * Reads answers to their end before it gives them: octokit takes a connection that breaks in the middle of a body for an
 * empty body. Archives alone come as they flow. A write follows a redirect as the same write, within the same host only.
 */
export const wholeFetch: Fetch = async (url, init = {}) => {
  if (!isReading(init)) return await whole(await write(url, init))
  const response = await fetch(url, init)
  return archive.test(url) && response.ok ? response : await whole(response)
}

/** `fetch` itself would make a GET of a POST that is redirected, and octokit would take a redirect for an answer. */
async function write(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: 'manual' })
  if (response.status < 300 || response.status > 399) return response
  await response.body?.cancel()
  const location = response.headers.get('location')
  const to = location === null ? null : new URL(location, url)
  if (to?.origin !== new URL(url).origin) throw new Error('a write was redirected to another host, or nowhere')
  return await fetch(to, { ...init, redirect: 'error' })
}

/**
 * Asks again with the etag of what it was given before, and gives the kept answer when nothing changed: that costs nothing
 * of a rate limit. `owner` keeps the answers of one installation from every other.
 */
export function toConditionalFetch(fetch: Fetch, cache: AnswerCache, owner: string): Fetch {
  return async (url, init = {}) => {
    if (init.method !== 'GET' || unkept.test(url)) return fetch(url, init)
    const headers = new Headers(init.headers)
    const key = `${owner} ${headers.get('accept')} ${url}`
    const kept = cache.get(key)
    if (kept) headers.set('if-none-match', kept.etag)
    const response = await fetch(url, { ...init, headers })
    if (kept && response.status === 304) return toResponse({ ...kept, headers: merged(kept.headers, response.headers) })
    const etag = response.headers.get('etag')
    if (etag === null || response.status !== 200) return response
    const bytes = await response.arrayBuffer()
    const answer = { etag, status: 200, headers: [...response.headers], bytes, url: response.url }
    if (bytes.byteLength <= largestKept) cache.set(key, answer)
    return toResponse(answer)
  }
}

function isReading({ method = 'GET' }: RequestInit): boolean {
  return method === 'GET' || method === 'HEAD'
}

async function whole(response: Response): Promise<Response> {
  return toResponse({ status: response.status, headers: [...response.headers], bytes: await response.arrayBuffer(), url: response.url })
}

/** What was unpacked on its way must not be called packed. */
const ofTheWire = new Set(['content-encoding', 'content-length', 'transfer-encoding'])

function toResponse({ status, headers, bytes, url }: Omit<KeptAnswer, 'etag'>): Response {
  const hasBody = ![204, 205, 304].includes(status)
  const response = new Response(hasBody ? bytes : null, { status, headers: headers.filter(([name]) => !ofTheWire.has(name)) })
  return Object.defineProperty(response, 'url', { value: url })
}

/** The newer headers tell of limits and times; those of the body stay. */
function merged(kept: [string, string][], now: Headers): [string, string][] {
  const newer = [...now].filter(([name]) => /^(x-ratelimit|date|retry-after|link)/.test(name))
  const names = new Set(newer.map(([name]) => name))
  return [...kept.filter(([name]) => !names.has(name)), ...newer]
}
