import { RequestError } from 'octokit'
import { NuraError } from '#db/nura-error.ts'

/** Waited after a limit that does not say how long, doubled each time it comes again. */
const leastWaitMs = 60_000
/** No limit of GitHub's lasts longer; a proxy's nonsense must not either. */
const longestWaitMs = 2 * 3_600_000

/** Status that GitHub refused a call with, such as 406 or 409; null when it was not GitHub that failed. */
export function githubStatusOf(error: unknown): number | null {
  for (let at: unknown = error; at instanceof Error; at = at.cause) if (at instanceof RequestError && at.response) return at.status
  return null
}

/**
 * What a failed call means to us.
 * @param strikes limits in a row, which make the wait longer where GitHub does not say how long
 * @param call the route as octokit names it: without values, so that a message shows no name of a private repository
 */
export function toGithubError(error: unknown, call: string, now: number, strikes: number): unknown {
  if (!(error instanceof RequestError)) return error
  for (let at: unknown = error.cause; at instanceof Error; at = at.cause) if (at instanceof NuraError) return at
  const until = findLimit(error, now, strikes)
  if (until) return toLimitError(until, error)
  const { status } = error
  if (status >= 500) return new NuraError('github-unavailable', `GitHub does not answer ${call} just now. Try again in a moment.`, { retryable: true, cause: error })
  if (status === 401) return new NuraError('github-unauthorized', `GitHub does not accept the credentials for ${call}.`, { cause: error })
  if (status === 404 || status === 410) return new NuraError('github-not-found', `GitHub has nothing there for ${call}, or the App may not see it.`, { cause: error })
  if (status === 403 && /suspended/i.test(error.message)) return toNotInstalled(error)
  if (status === 403 || status === 451) return new NuraError('github-forbidden', `GitHub does not let the App do ${call}. Check the permissions of the installation.`, { cause: error })
  return new NuraError('github-refused', `GitHub refused ${call} with status ${status}.`, { cause: error })
}

export function toNotInstalled(cause?: unknown): NuraError {
  return new NuraError('github-not-installed', 'The GitHub App is suspended or not installed there any more. An owner of the account can install it again.', { cause })
}

export function toLimitError(until: Date, cause?: unknown): NuraError {
  return new NuraError('github-rate-limited', `GitHub takes no calls of this installation before ${until.toISOString()}.`, { retryable: true, retryAt: until, cause })
}

/** Moment before which GitHub takes no more calls, as a good answer tells it; null while some remain. */
export function findExhausted(headers: Headers, now: number): Date | null {
  const isCore = (headers['x-ratelimit-resource'] ?? 'core') === 'core'
  return isCore && headers['x-ratelimit-remaining'] === '0' ? toReset(headers, now) : null
}

type Headers = Record<string, string | number | undefined>

/** `retry-after`, else the reset of what is used up, else a minute and longer each time. */
function findLimit(error: RequestError, now: number, strikes: number): Date | null {
  const { status, response } = error
  if (!response || (status !== 403 && status !== 429)) return null
  const headers: Headers = response.headers
  const seconds = Number(headers['retry-after'])
  if (headers['retry-after'] !== undefined && Number.isFinite(seconds)) return after(now, seconds * 1000)
  if (headers['x-ratelimit-remaining'] === '0') return toReset(headers, now)
  return status === 429 || /secondary rate limit|abuse detection/i.test(error.message) ? after(now, leastWaitMs * 2 ** strikes) : null
}

/** The reset is told by GitHub's clock, so it is measured by it: ours may differ. A second more, as the reset is a whole one. */
function toReset(headers: Headers, now: number): Date {
  const theirs = Date.parse(String(headers.date ?? ''))
  const left = Number(headers['x-ratelimit-reset']) * 1000 - (Number.isNaN(theirs) ? now : theirs)
  return after(now, Number.isFinite(left) ? left + 1000 : leastWaitMs)
}

function after(now: number, ms: number): Date {
  return new Date(now + Math.min(Math.max(ms, 1000), longestWaitMs))
}
