import { NuraError } from '#db/nura-error.ts'

/** Waited after an outage or a limit that does not say how long. */
const usualWaitMs = 60_000
const longestWaitMs = 3_600_000

/** What `NuraError`s of an outage are called: what was indexed still holds, and the source is asked again later. */
export const outageCodes: ReadonlySet<string> = new Set(['source-unavailable', 'source-rate-limited'])

/** What an answer that is none means to us. `status` null: there was no answer. The message holds nothing that the site sent. */
export function toSiteError({ name, status, headers, now, cause }: { name: string; status: number | null; headers?: Pick<Headers, 'get'>; now: number; cause?: unknown }): NuraError {
  if (status === 429) {
    const until = toRetryAt(headers?.get('retry-after') ?? null, now)
    return new NuraError('source-rate-limited', `${name} takes no calls before ${until.toISOString()}.`, { retryable: true, retryAt: until, cause })
  }
  if (status === null || status >= 500 || status === 408) {
    const until = toRetryAt(headers?.get('retry-after') ?? null, now)
    return new NuraError('source-unavailable', `${name} does not answer${status === null ? '' : ` (HTTP ${status})`}.`, { retryable: true, retryAt: until, cause })
  }
  if (status >= 300 && status < 400) return new NuraError('source-refused', `${name} answers from another address. Connect it by the address that a browser shows in the end.`, { field: 'url' })
  if (status === 401) return new NuraError('source-unauthorized', `${name} does not accept the token. Make a new one and connect the source again.`, { field: 'token' })
  if (status === 403) return new NuraError('source-forbidden', `${name} does not let the token's account do this. Let it read what is to be indexed.`, { field: 'token' })
  if (status === 404 || status === 410) return new NuraError('source-missing', `${name} has nothing there, or the token's account may not see it.`, { field: 'url' })
  return new NuraError('source-refused', `${name} refused a call with status ${status}.`)
}

/** `Retry-After` in seconds or as a date, within reason. */
export function toRetryAt(value: string | null, now: number): Date {
  const seconds = value === null || value.trim() === '' ? NaN : Number(value)
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value ?? '') - now
  return new Date(now + Math.min(Math.max(Number.isFinite(ms) ? ms : usualWaitMs, 100), longestWaitMs))
}
