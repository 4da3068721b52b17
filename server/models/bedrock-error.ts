import type { NuraError } from '#db/nura-error.ts'
import { badModel, fromFault, modelAway, modelCold, modelRefused, toRetryAt } from './model-error.ts'

/** What an error of the AWS SDK says beside its name. Its message is read, and never repeated. */
type AwsError = Error & {
  $metadata?: { httpStatusCode?: number; requestId?: string }
  $response?: { headers?: Record<string, string> }
}

type Meaning = 'often' | 'failed' | 'cold' | 'forbidden' | 'credentials' | 'no-credentials' | 'no-model'

/** AWS's names for what went wrong, of Bedrock and of what stands before it. */
const meanings: Readonly<Record<string, Meaning>> = {
  ThrottlingException: 'often',
  TooManyRequestsException: 'often',
  ServiceQuotaExceededException: 'often',
  ServiceUnavailableException: 'failed',
  InternalServerException: 'failed',
  InternalFailure: 'failed',
  ModelErrorException: 'failed',
  ModelStreamErrorException: 'failed',
  ModelTimeoutException: 'failed',
  ModelNotReadyException: 'cold',
  AccessDeniedException: 'forbidden',
  UnrecognizedClientException: 'credentials',
  InvalidClientTokenId: 'credentials',
  InvalidSignatureException: 'credentials',
  IncompleteSignature: 'credentials',
  MissingAuthenticationTokenException: 'credentials',
  ExpiredToken: 'credentials',
  ExpiredTokenException: 'credentials',
  RequestExpired: 'credentials',
  CredentialsProviderError: 'no-credentials',
  TokenProviderError: 'no-credentials',
  ResourceNotFoundException: 'no-model',
}

/** How a ValidationException speaks of the model instead of the request. */
const aboutModel = [
  /model identifier is invalid/i,
  /end of (?:its )?life/i,
  /on-demand throughput/i,
  /doesn.t support (?:the model|system|streaming|converse)/i,
  /model (?:doesn.t|does not) support/i,
  /not available for this model/i,
  /access to (?:this|the) model/i,
]

/** The failure behind an error of the AWS SDK, before an answer began or in the midst of it. */
export function toBedrockError(error: unknown, id: string): NuraError {
  if (!(error instanceof Error)) return fromFault(id, error)
  const { name, message, $metadata, $response } = error as AwsError
  if (message === 'Region is missing') return badModel(id, 'no AWS region is set; set AWS_REGION to the one whose models you use, such as us-east-1', new Error('no region'))
  const status = $metadata?.httpStatusCode
  const meaning = meanings[toName(name)]
  if (meaning === undefined && name !== 'ValidationException' && (status === undefined || status === 200)) return fromFault(id, toReason(error))
  const cause = new Error(`status ${status ?? 'none'}, code ${toName(name)}, request ${$metadata?.requestId ?? 'unknown'}`)
  const more = { cause, retryAt: toRetryAt(toHeaders($response?.headers)) }
  if (name === 'ValidationException' && aboutModel.some((words) => words.test(message))) {
    return badModel(id, 'Bedrock does not serve a model of this name; it may be retired, or need the prefix of a region, such as us. or global.; name another', cause)
  }
  if (meaning) return fromMeaning(id, meaning, more)
  if (name === 'ValidationException') return modelRefused(id, cause)
  return fromUnnamed(id, status!, more)
}

/** A stream that was cancelled says only that; why stands behind it. */
function toReason(error: Error): Error {
  return 'code' in error && error.code === 'ERR_HTTP2_STREAM_CANCEL' && error.cause instanceof Error ? error.cause : error
}

/** Those of HTTP/2 hold names that begin with a colon, which are no headers. */
function toHeaders(headers: Record<string, string> = {}): Headers {
  return new Headers(Object.entries(headers).filter(([name]) => !name.startsWith(':')))
}

function fromMeaning(id: string, meaning: Meaning, more: { cause: Error; retryAt: Date | undefined }): NuraError {
  switch (meaning) {
    case 'often':
      return modelAway(id, 'is asked too often just now', more)
    case 'failed':
      return modelAway(id, 'failed at its provider', more)
    case 'cold':
      return modelCold(id, more.cause)
    case 'forbidden':
      return badModel(id, 'AWS does not let these credentials use it; allow bedrock:InvokeModel and bedrock:InvokeModelWithResponseStream, and the model in the Bedrock console', more.cause)
    case 'credentials':
      return badModel(id, 'AWS refuses the credentials; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN or the profile, and the clock of this machine', more.cause)
    case 'no-credentials':
      return badModel(id, 'no AWS credentials are found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, or give this machine a role', more.cause)
    case 'no-model':
      return badModel(id, 'Bedrock has no such model in this region; check the name and AWS_REGION', more.cause)
  }
}

/** What a proxy answers, or a name that AWS has made since. */
function fromUnnamed(id: string, status: number, more: { cause: Error; retryAt: Date | undefined }): NuraError {
  if (status === 429) return fromMeaning(id, 'often', more)
  if (status >= 500 || status === 408 || status === 409 || status === 424) return fromMeaning(id, 'failed', more)
  if (status === 401 || status === 403) return fromMeaning(id, 'credentials', more)
  return status === 404 ? fromMeaning(id, 'no-model', more) : modelRefused(id, more.cause)
}

/** Names come off the wire: one that does not look like one is not repeated either. Inside a stream they begin small. */
function toName(name: string): string {
  return /^[A-Za-z]{1,60}$/.test(name) ? name[0]!.toUpperCase() + name.slice(1) : 'unknown'
}
