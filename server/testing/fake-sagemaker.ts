import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { createFakeVectors } from './fake-vectors.ts'
import type { FakeVectors } from './fake-vectors.ts'
import { listenOnLoopback } from './listen-on-loopback.ts'
import { sendJson } from './send-json.ts'

export type FakeSagemaker = {
  /** What `AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME` names. */
  readonly url: string
  /** Name of the one endpoint that there is. */
  readonly endpoint: string
  readonly headers: IncomingHttpHeaders[]
  readonly vectors: FakeVectors
  /** The shape that the container answers in. */
  shape: (vectors: number[][]) => unknown
  close(): Promise<void>
}

/** SageMaker's runtime over loopback, with one endpoint whose container embeds. */
export async function startFakeSagemaker(endpoint = 'bge-m3'): Promise<FakeSagemaker> {
  const { fake: vectors, answer } = createFakeVectors()
  const fake: Omit<FakeSagemaker, 'url' | 'close'> = { endpoint, headers: [], vectors, shape: (found) => found }
  const server = createServer((request, response) => {
    invoke(request, response).catch(() => response.destroy())
  })

  async function invoke(request: IncomingMessage, response: ServerResponse): Promise<void> {
    fake.headers.push(request.headers)
    const refuse = (status: number, { code, message, retryAfter }: { code: string; message: string; retryAfter?: string }) => {
      const model = code === 'ModelError' ? { OriginalStatusCode: 503, OriginalMessage: message } : {}
      const headers = { 'x-amzn-errortype': `${code}:http://internal.amazon.com/`, 'x-amzn-requestid': 'req-fake', ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }) }
      sendJson(response, status, { Message: message, ...model }, headers)
    }
    const { inputs } = (await json(request)) as { inputs: string[] }
    if (request.method !== 'POST' || request.url !== `/endpoints/${endpoint}/invocations`) {
      return refuse(400, { code: 'ValidationError', message: 'Endpoint canary of account 123456789012 not found.' })
    }
    // The container itself refuses, and SageMaker wraps it.
    const refuseInput: typeof refuse = (status, fault) => (fault.code === 'invalid_input' ? sendJson(response, 424, { Message: fault.message, OriginalStatusCode: 413, OriginalMessage: fault.message }, { 'x-amzn-errortype': 'ModelError' }) : refuse(status, fault))
    await answer(inputs, response, { refuse: refuseInput, send: (found) => sendJson(response, 200, fake.shape(found)) })
  }

  return Object.assign(fake, await listenOnLoopback(server))
}
