import type { SageMakerRuntimeClient, SageMakerRuntimeClientConfig } from '@aws-sdk/client-sagemaker-runtime'
import { findEmbeddingFacts } from './embedding-facts.ts'
import type { EmbeddingModel } from './embedding-model.ts'
import { badModel, codeOf, fromFault, fromStatus, modelAway, modelCold, modelRefused } from './model-error.ts'
import { inOrder } from './openai-embedder.ts'

export type SagemakerEndpoint = {
  /** The endpoint's name. */
  endpoint: string
  /** What the AWS SDK is not to find by itself, as in a test. */
  client?: SageMakerRuntimeClientConfig
}

/** What the containers for embeddings take unless they are told otherwise; a request may have 6 MB. */
const limits = { texts: 32, characters: 200_000 }

/** An embedding model in a container of Hugging Face's behind a SageMaker endpoint. Region and credentials are the AWS SDK's own affair. */
export function createSagemakerEmbedder(model: string, { endpoint, client: config = {} }: SagemakerEndpoint): EmbeddingModel {
  const id = `sagemaker:${model}`
  let client: Promise<SageMakerRuntimeClient> | undefined
  return {
    id,
    ...findEmbeddingFacts(model),
    limits,
    async request(texts, _kind, signal) {
      signal.throwIfAborted()
      try {
        // Loaded only where it is used: the SDK is large.
        const { InvokeEndpointCommand, SageMakerRuntimeClient: Client } = await import('@aws-sdk/client-sagemaker-runtime')
        client ??= Promise.resolve(new Client({ maxAttempts: 1, ...config }))
        const body = Buffer.from(JSON.stringify({ inputs: texts }))
        const command = new InvokeEndpointCommand({ EndpointName: endpoint, ContentType: 'application/json', Accept: 'application/json', Body: body })
        const { Body: answer } = await (await client).send(command, { abortSignal: signal })
        return { vectors: toVectors(JSON.parse(Buffer.from(answer ?? []).toString('utf8'))), tokens: null }
      } catch (error) {
        signal.throwIfAborted()
        throw toSagemakerError(error, id)
      }
    },
  }
}

/** The shapes in which containers send vectors. */
function toVectors(body: unknown): readonly unknown[] {
  if (Array.isArray(body)) return body
  const { embeddings, dense_vecs: dense, data } = (body ?? {}) as Record<string, unknown>
  const named = embeddings ?? dense
  if (Array.isArray(named)) return named
  if (Array.isArray(data)) return inOrder(data)
  throw new SyntaxError('no vectors')
}

const refusesCredentials = /^(AccessDenied|UnrecognizedClient|ExpiredToken|InvalidSignature|InvalidClientTokenId|MissingAuthenticationToken|IncompleteSignature|OptInRequired|NotAuthorized)/
/** An endpoint that scales from zero says so in a ValidationError. */
const saysNoInstance = /no capacity|no instances?\b|no cop(?:y|ies)|not (?:currently )?in[ -]?service|not ready|autoscaling|scal(?:ed|ing)|creating|updating/i

type AwsFault = { name: string; message: string; $metadata?: { httpStatusCode?: number; requestId?: string }; OriginalStatusCode?: number; OriginalMessage?: string }

/** An exception of the SDK, without its message, which may hold what was asked. */
export function toSagemakerError(error: unknown, id: string): Error {
  if (!(error instanceof Error)) return fromFault(id, error)
  const { name, message, $metadata, OriginalStatusCode: original, OriginalMessage: said } = error as AwsFault
  const status = $metadata?.httpStatusCode
  const cause = new Error(`${name}, status ${status ?? 'none'}${original === undefined ? '' : `, of the model ${original}`}, request ${$metadata?.requestId ?? 'unknown'}`)
  if (name === 'CredentialsProviderError') return badModel(id, 'there are no AWS credentials; give the process a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY', cause)
  if (/region is missing/i.test(message)) return badModel(id, 'there is no AWS region; set AWS_REGION', cause)
  if (status === undefined || name === 'SyntaxError') return fromFault(id, error)
  if (refusesCredentials.test(name)) return badModel(id, 'AWS refuses the credentials, or they do not allow sagemaker:InvokeEndpoint', cause)
  if (name === 'ModelNotReadyException') return modelCold(id, cause)
  if (name === 'ValidationError' || name === 'ValidationException') return fromValidation(id, message, cause)
  if (name === 'ModelError') return fromModel(id, original ?? 500, said ?? message, cause)
  if (name === 'ThrottlingException') return modelAway(id, 'is asked too often just now', { cause })
  return fromStatus(id, { status, code: codeOf(error), requestId: $metadata?.requestId ?? null, headers: headersOf(error), keyName: 'the AWS credentials' })
}

function fromValidation(id: string, message: string, cause: Error): Error {
  if (saysNoInstance.test(message)) return modelCold(id, cause)
  if (/not found|could not find/i.test(message)) return badModel(id, 'there is no such endpoint in this region; check SAGEMAKER_EMBEDDING_ENDPOINT and AWS_REGION', cause)
  return modelRefused(id, cause)
}

/** The container itself answered with a fault. */
function fromModel(id: string, status: number, said: string, cause: Error): Error {
  if (status === 503 && /loading|starting|warming|not ready/i.test(said)) return modelCold(id, cause)
  if (status >= 500 || status === 429 || status === 408) return modelAway(id, `failed with status ${status}`, { cause })
  return modelRefused(id, cause)
}

function headersOf(error: Error): Headers | undefined {
  const { $response: response } = error as { $response?: { headers?: Record<string, string> } }
  return response?.headers && new Headers(response.headers)
}
