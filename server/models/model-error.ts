import { NuraError } from '#db/nura-error.ts'

/**
 * How a call of a model failed, as every provider says it, for the chain and the gate to act on:
 * `model-unavailable` waiting helps (`retryAt` when it named a time); `model-cold` it is starting and answers in minutes;
 * `bad-model` an operator must put something right; `model-refused` this request is not for it.
 */
export type ModelFailure = 'model-unavailable' | 'model-cold' | 'bad-model' | 'model-refused'

type More = { cause?: unknown; retryAt?: Date | undefined }

/** @param what completes «openai:gpt-4.1 …», such as `cannot be reached` */
export function modelAway(id: string, what: string, more: More = {}): NuraError {
  return new NuraError('model-unavailable', `${id} ${what}. Try again in a minute.`, { retryable: true, ...more })
}

export function modelCold(id: string, cause?: unknown): NuraError {
  return new NuraError('model-cold', `${id} is starting, which takes some minutes.`, { retryable: true, cause })
}

/** @param fix what is wrong and what to do, such as `the server refuses the key; check OPENAI_API_KEY` */
export function badModel(id: string, fix: string, cause?: unknown): NuraError {
  return new NuraError('bad-model', `${id}: ${fix}.`, { cause })
}

export function modelRefused(id: string, cause?: unknown): NuraError {
  return new NuraError('model-refused', `${id} refused the request. Ask something shorter, or name another model.`, { cause })
}

/** What an HTTP answer says without its text, which is never repeated: it may hold a key or the question. */
export type HttpFault = {
  status: number
  /** The provider's own word for it. */
  code: string | null
  requestId: string | null
  headers?: Headers | undefined
  /** The environment key whose value was refused, where one was sent. */
  keyName: string
}

/** The failure behind a status that every HTTP provider uses alike. */
export function fromStatus(id: string, { status, code, requestId, headers, keyName }: HttpFault): NuraError {
  const cause = new Error(`status ${status}, code ${code ?? 'none'}, request ${requestId ?? 'unknown'}`)
  if (status === 401) return badModel(id, `the server refuses the key; check ${keyName}`, cause)
  if (status === 403) return badModel(id, 'the key may not use this model; allow it at the provider, or name another model', cause)
  if (status === 404) return badModel(id, 'the server has no such model; check the name and the base URL', cause)
  const more = { cause, retryAt: toRetryAt(headers) }
  if (status === 429) return modelAway(id, 'is asked too often just now', more)
  if (status >= 500 || status === 408 || status === 409) return modelAway(id, `failed with status ${status}`, more)
  return modelRefused(id, cause)
}

/** A fault of the connection, or a body that cannot be read. */
export function fromFault(id: string, error: unknown): NuraError {
  if (error instanceof NuraError) return error
  const what = error instanceof SyntaxError ? 'sent what cannot be read' : 'cannot be reached or broke off'
  return modelAway(id, what, { cause: new Error(codeOf(error)) })
}

/** `Retry-After` holds seconds or a date; some servers send `retry-after-ms`, which is finer. */
export function toRetryAt(headers: Headers | undefined): Date | undefined {
  const milliseconds = Number(headers?.get('retry-after-ms') || Number.NaN)
  if (Number.isFinite(milliseconds)) return new Date(Date.now() + milliseconds)
  const written = headers?.get('retry-after')
  if (!written) return undefined
  const seconds = Number(written)
  const at = Number.isNaN(seconds) ? Date.parse(written) : Date.now() + seconds * 1000
  return Number.isNaN(at) ? undefined : new Date(at)
}

/** The code of a fault of the connection or of the server, such as ECONNREFUSED, else the kind of error. */
export function codeOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) if ('code' in at && typeof at.code === 'string') return at.code
  return error instanceof Error ? error.name : 'unknown'
}

/** A failure in our words, with what is known of its cause: for the log and the trace. */
export function toFailureText(error: unknown): string {
  if (!(error instanceof NuraError)) return error instanceof Error ? error.name : 'unknown'
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}
