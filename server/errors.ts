import { randomBytes } from 'node:crypto'
import { NuraError } from '#db/nura-error.ts'

/** What a caller sees of a failure, whatever the surface: HTTP body, SSE `error` event, line in a terminal. */
export type Failure = {
  status: number
  /** Before then it is in vain to try again. */
  retryAt?: Date
  error: { code: string; message: string; retryable: boolean; ref: string; field?: string }
}

/** Codes whose HTTP status is not 400. A new code that a caller may repair needs no line here. */
const statusOf: Record<string, number> = {
  'bad-environment': 500,
  internal: 500,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  'unknown-tenant': 404,
  'unknown-repository': 404,
  'unknown-answer': 404,
  'method-not-allowed': 405,
  'not-acceptable': 406,
  conflict: 409,
  'repository-exists': 409,
  'body-too-large': 413,
  'unsupported-media-type': 415,
  // Somebody else's site is away, or does not exist: no fault of Nura's, whose 5xx its operator is woken by.
  'source-unavailable': 424,
  'source-rate-limited': 424,
  'too-many-requests': 429,
  'too-busy': 503,
  'not-implemented': 501,
  'database-unavailable': 503,
  'queue-unavailable': 503,
  'model-unavailable': 503,
  'model-interrupted': 503,
  unavailable: 503,
  stopping: 503,
  'deadline-exceeded': 504,
}

/** One sentence for every 404, so that «not yours» and «not there» cannot be told apart. */
const notFoundMessage = 'There is nothing here under that address or id. Check it, and that your token is for the right tenant.'

/** The same 404 whether an id is unknown, malformed, another tenant's or not a route at all. */
export function notFound(): NuraError {
  return new NuraError('not-found', notFoundMessage)
}

/** Turns any error into what may be shown of it. The error itself, stack and cause, is for the log under the same `ref`. */
export function toFailure(error: unknown, ref: string = createRef()): Failure {
  const shown = toNuraError(error)
  const status = toStatus(shown)
  if (status === 404) return { status, error: { code: 'not-found', message: notFoundMessage, retryable: false, ref } }
  const { code, message, retryable, field, retryAt } = shown
  return { status, ...(retryAt && { retryAt }), error: { code, message, retryable, ref, ...(field === undefined ? {} : { field }) } }
}

/** HTTP status of an error: its code's line in the table; else 503 when waiting helps, 400 when the caller must change something. */
export function toStatus(error: NuraError): number {
  return statusOf[error.code] ?? (error.retryable ? 503 : 400)
}

/** Exit code of a command that ended with this error: 2 for wrong usage, 1 for everything else. */
export function toExitCode(error: unknown): 1 | 2 {
  return error instanceof NuraError && error.code === 'usage' ? 2 : 1
}

/** Short reference that finds the log lines of a failure, such as `7F3A91`. */
export function createRef(): string {
  return randomBytes(3).toString('hex').toUpperCase()
}

function toNuraError(error: unknown): NuraError {
  for (let at: unknown = error; at instanceof Error; at = at.cause) if (at instanceof NuraError) return at
  if (isDatabaseAway(error)) {
    return new NuraError('database-unavailable', 'The database does not answer just now. Try again in a moment.', { retryable: true, cause: error })
  }
  return new NuraError('internal', 'Something went wrong on our side. Try again; if it stays, tell the operator this reference.', {
    retryable: true,
    cause: error,
  })
}

/** Connection faults of Node and of PostgreSQL (classes 08, 53 and 57P: connection, resources, shutdown). */
const away = /^(08...|53...|57P..|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN)$/

function isDatabaseAway(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string' && away.test(at.code)) return true
  }
  return false
}
