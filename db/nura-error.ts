/**
 * The one error of Nura: says what happened and what to do, to the person who can act.
 *
 * `code` is stable kebab-case and decides the HTTP status and the exit code (`server/errors.ts`).
 * `retryable` is the decision: true when the same request may succeed later.
 * `retryAt` is the moment before which trying again is in vain, as after a rate limit. `field` names the input at fault.
 * `cause` is for the log, never for a user.
 */
export class NuraError extends Error {
  readonly code: string
  readonly retryable: boolean
  readonly field: string | undefined
  readonly retryAt: Date | undefined

  constructor(code: string, message: string, options: { retryable?: boolean; field?: string; cause?: unknown; retryAt?: Date } = {}) {
    super(message, { cause: options.cause })
    this.name = 'NuraError'
    this.code = code
    this.retryable = options.retryable ?? false
    this.field = options.field
    this.retryAt = options.retryAt
  }
}
