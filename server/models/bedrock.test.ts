import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { webhookEvidence } from '../testing/evidence.ts'
import { startFakeBedrock } from '../testing/fake-bedrock.ts'
import type { FakeBedrock } from '../testing/fake-bedrock.ts'
import type { ModelFault as WireFault } from '../testing/fake-model.ts'
import { modelContract } from '../testing/model-contract.ts'
import type { ModelFault } from '../testing/model-contract.ts'
import { createBedrock } from './bedrock.ts'
import type { ChatEvent, ChatMessage, ChatModel } from './chat-model.ts'
import { toChain } from './index.ts'

const wire: Record<ModelFault, WireFault> = {
  'a server that never answers': { kind: 'hang' },
  'a server that falls silent while it speaks': { kind: 'hang', after: 3 },
  'an answer that never ends': { kind: 'slow', ms: 300 },
  'a rate limit of 30 s': { kind: 'status', status: 429, retryAfter: '30' },
  'a server in trouble': { kind: 'status', status: 503 },
  'a refused key': { kind: 'status', status: 403, code: 'UnrecognizedClientException' },
  'a model that is not there': { kind: 'status', status: 404 },
  'a prompt that is too long': { kind: 'status', status: 400 },
  'a connection that is cut': { kind: 'cut', after: 3 },
  'a stream that ends early': { kind: 'end', after: 3 },
  'a frame that cannot be read': { kind: 'malformed', after: 3 },
  'an answer without a word': { kind: 'empty' },
  'an answer of many megabytes': { kind: 'flood', bytes: 50_000_000 },
}

let fake: FakeBedrock
beforeAll(async () => {
  fake = await startFakeBedrock()
  for (const [key, value] of Object.entries({ AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'secret' })) vi.stubEnv(key, value)
})
afterEach(() => void Object.assign(fake, { fault: null, message: 'Refused: canary of a message' }))
afterAll(async () => {
  vi.unstubAllEnvs()
  await fake.close()
})

const create = (model = 'us.meta.llama3-1-70b-instruct-v1:0') => createBedrock(model, { baseUrl: fake.url })

modelContract('bedrock', () => create(), {
  isDeterministic: true,
  rig: () => ({ cause: (fault) => void (fake.fault = fault && wire[fault]), calls: () => fake.requests.length, isAborted: () => fake.requests.at(-1)!.aborted }),
})

async function ask(model: ChatModel, messages: ChatMessage[] = [{ role: 'user', content: 'Where?' }]): Promise<ChatEvent[]> {
  const events: ChatEvent[] = []
  for await (const event of model.stream({ agent: 'dev', system: 'Be short.', messages, evidence: webhookEvidence('Where?'), maxOutputTokens: 5_000 }, new AbortController().signal)) events.push(event)
  return events
}
const failure = (model = create()) => ask(model).then(() => null, (thrown: Error) => thrown)

describe('a request to Bedrock', () => {
  test('carries our words apart from the conversation, asks for no more than the model writes, and reports what it used', async () => {
    expect((await ask(create())).at(-1)).toEqual({ kind: 'usage', inputTokens: 900, outputTokens: 60 })
    expect(fake.requests.at(-1)).toMatchObject({
      model: 'us.meta.llama3-1-70b-instruct-v1:0', streamed: true,
      body: { system: [{ text: 'Be short.' }], inferenceConfig: { maxTokens: 2_048 }, messages: [{ role: 'user', content: [{ text: 'Where?' }] }] },
    })
  })

  test('goes whole to a model that cannot stream, and our words into the conversation of one that takes none apart', async () => {
    const arn = 'arn:aws:bedrock:us-east-1:123456789012:imported-model/abc'
    expect(toChain(`bedrock:${arn}`, 'DEV_MODELS')).toEqual([{ provider: 'bedrock', model: arn, baseUrl: null }])
    const events = await ask(create('mistral.mistral-7b-instruct-v0:2'))
    expect(fake.requests.at(-1)!.body).toMatchObject({ messages: [{ content: [{ text: 'Be short.' }, { text: 'Where?' }] }] })
    expect(fake.requests.at(-1)!.body.system).toBeUndefined()
    expect(events.at(-1)).toMatchObject({ kind: 'usage' })
    await ask(create('ai21.j2-ultra-v1'))
    expect(fake.requests.at(-1)!.streamed).toBe(false)
  })
})

describe('what AWS says', () => {
  test.each([
    ['a model that is starting', { kind: 'cold' }, 'model-cold', /is starting/],
    ['an account that may not', { kind: 'status', status: 403 }, 'bad-model', /allow it in Bedrock/],
    ['credentials that have expired', { kind: 'status', status: 403, code: 'ExpiredTokenException' }, 'bad-model', /have expired/],
    ['an error while it speaks', { kind: 'error-frame', after: 2 }, 'model-unavailable', /failed/],
  ] as const)('of %s', async (_, fault, code, message) => {
    fake.faults.push(fault)
    const error = await failure()
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
    expect(`${error?.message} ${String(error?.cause)}`).not.toContain('canary')
  })

  test('of an id that has come to its end, or is none', async () => {
    for (const message of ['The provided model identifier is invalid.', 'This model version has reached the end of its life. canary', 'Invocation with on-demand throughput isn’t supported.']) {
      Object.assign(fake, { message })
      fake.faults.push({ kind: 'status', status: 400 })
      expect(await failure()).toMatchObject({ code: 'bad-model', message: expect.stringContaining('name another one') })
    }
  })

  test('where nothing says who asks or where', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', '')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', '')
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    expect(await failure()).toMatchObject({ code: 'bad-model', message: expect.stringContaining('AWS_ACCESS_KEY_ID') })
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIATEST')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
    vi.stubEnv('AWS_REGION', '')
    expect(await failure()).toMatchObject({ code: 'bad-model', message: expect.stringContaining('AWS_REGION') })
    vi.stubEnv('AWS_REGION', 'us-east-1')
  })
})
