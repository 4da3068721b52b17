import { createHash, randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Fault } from './faults.ts'
import { Refusal } from './route.ts'
import type { Call, Reply } from './route.ts'
import type { Installation } from './world.ts'

/** What a refusal looks like; anything else thrown is a fault of the fake itself. */
export function toRefused(error: unknown): Reply {
  if (error instanceof Refusal) return { status: error.status, body: error.body, headers: error.headers }
  return { status: 500, body: { message: `The fake failed: ${error instanceof Error ? error.message : String(error)}` } }
}

/** The answer of a fault, and what it leaves behind in the installation's limits. */
export function toFaulty(fault: Fault, installation: Installation | null, now: Date): Reply {
  if (fault.kind === 'status') return toRefused(new Refusal(fault.status, fault.message ?? 'Server Error'))
  if (fault.kind === 'unauthorized') return toRefused(new Refusal(401, 'Bad credentials'))
  if (fault.kind === 'secondary') {
    const message = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.'
    return toRefused(
      new Refusal(fault.status ?? 403, message, {}, fault.seconds === undefined ? {} : { 'retry-after': String(fault.seconds) }),
    )
  }
  if (fault.kind === 'exhausted' && installation)
    installation.rate = { ...installation.rate, remaining: 0, reset: toLater(now, fault.seconds) }
  return toRefused(new Refusal(403, `API rate limit exceeded for installation ID ${installation?.id}.`))
}

export function toLater(now: Date, seconds: number): Date {
  return new Date(now.getTime() + seconds * 1000)
}

/** Writes an answer with what every one of GitHub's carries, and counts it. */
export function send(
  response: ServerResponse,
  call: Call,
  { status = 200, body, headers = {} }: Reply,
  installation: Installation | null,
): void {
  if (response.destroyed) return
  const isBytes = Buffer.isBuffer(body)
  const bytes = isBytes ? body : body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body))
  const tag = `W/"${createHash('sha256').update(bytes).digest('hex')}"`
  const hasTag = call.method === 'GET' && status === 200
  const isKnown = hasTag && call.headers['if-none-match']?.includes(tag.slice(2))
  call.status = isKnown ? 304 : status
  if (installation && !isKnown && installation.rate.remaining > 0) installation.rate.remaining -= 1
  response.writeHead(call.status, {
    server: 'github.com',
    'x-github-request-id': randomUUID(),
    'x-github-media-type': 'github.v3; format=json',
    ...(bytes.length > 0 && !isKnown
      ? { 'content-type': 'application/json; charset=utf-8', 'content-length': String(bytes.length) }
      : {}),
    ...(hasTag
      ? { etag: tag, 'cache-control': 'private, max-age=60, s-maxage=60', vary: 'Accept, Authorization, Cookie, X-GitHub-OTP' }
      : {}),
    ...toRateHeaders(installation),
    ...headers,
  })
  response.end(isKnown ? undefined : bytes)
}

function toRateHeaders(installation: Installation | null): Record<string, string> {
  const { limit, remaining, reset } = installation?.rate ?? {
    limit: 5000,
    remaining: 4999,
    reset: new Date(Date.now() + 3_600_000),
  }
  const numbers = { limit, remaining, used: limit - remaining, reset: Math.ceil(reset.getTime() / 1000) }
  return {
    ...Object.fromEntries(Object.entries(numbers).map(([key, value]) => [`x-ratelimit-${key}`, String(value)])),
    'x-ratelimit-resource': 'core',
  }
}
