import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { citesFirst, startFakeOpenai } from '../testing/fake-openai.ts'
import type { FakeOpenai, OpenaiFault } from '../testing/fake-openai.ts'
import { webhookEvidence } from '../testing/evidence.ts'
import { modelContract } from '../testing/model-contract.ts'
import type { ModelFault } from '../testing/model-contract.ts'
import { withoutKeys } from '../testing/without-keys.ts'
import type { ChatEvent, ChatModel } from './chat-model.ts'
import { createModels, toChain } from './index.ts'
import { createOpenai } from './openai.ts'

const wire: Record<ModelFault, OpenaiFault> = {
  'a server that never answers': { kind: 'hang' },
  'a server that falls silent while it speaks': { kind: 'hang', after: 3 },
  'an answer that never ends': { kind: 'slow', ms: 300 },
  'a rate limit of 30 s': { kind: 'status', status: 429, code: 'rate_limit_exceeded', retryAfter: '30' },
  'a server in trouble': { kind: 'status', status: 503 },
  'a refused key': { kind: 'status', status: 401, code: 'invalid_api_key' },
  'a model that is not there': { kind: 'status', status: 404, code: 'model_not_found' },
  'a prompt that is too long': { kind: 'status', status: 400, code: 'context_length_exceeded' },
  'a connection that is cut': { kind: 'cut', after: 3 },
  'a stream that ends early': { kind: 'end', after: 3 },
  'a frame that cannot be read': { kind: 'malformed', after: 3 },
  'an answer without a word': { kind: 'empty' },
  'an answer of many megabytes': { kind: 'flood', bytes: 50_000_000 },
}

let fake: FakeOpenai
beforeAll(async () => void (fake = await startFakeOpenai()))
afterEach(() => void (fake.reply = citesFirst))
afterAll(() => fake.close())

const create = () => createOpenai('gpt-4.1', { apiKey: 'sk-test', baseUrl: fake.url, isOpenai: true })

modelContract('openai', () => create(), {
  isDeterministic: true,
  rig: () => ({
    cause: (fault) => void (fake.fault = fault && wire[fault]),
    calls: () => fake.requests.length,
    isAborted: () => fake.requests.at(-1)!.aborted,
  }),
})

async function ask(model: ChatModel, maxOutputTokens = 500): Promise<ChatEvent[]> {
  const request = { agent: 'dev', system: 'Be short.', messages: [{ role: 'user' as const, content: 'Where?' }], evidence: webhookEvidence('Where?'), maxOutputTokens }
  const events: ChatEvent[] = []
  for await (const event of model.stream(request, new AbortController().signal)) events.push(event)
  return events
}

describe('a request', () => {
  test('carries our words, the conversation and the most tokens, and reports what it used', async () => {
    const events = await ask(create())
    expect(events.at(-1)).toEqual({ kind: 'usage', inputTokens: 900, outputTokens: 60 })
    expect(fake.requests.at(-1)).toMatchObject({
      key: 'sk-test',
      body: {
        model: 'gpt-4.1', stream: true, stream_options: { include_usage: true }, max_completion_tokens: 500,
        messages: [{ role: 'system', content: 'Be short.' }, { role: 'user', content: 'Where?' }],
      },
    })
  })

  test('never asks for more than the model writes', async () => {
    await ask(create(), 1_000_000)
    expect(fake.requests.at(-1)!.body.max_completion_tokens).toBe(32_768)
  })

  test('a call of a tool that nobody offered is not heard', async () => {
    fake.faults.push({ kind: 'tool-call' })
    const text = (await ask(create())).map((event) => (event.kind === 'text' ? event.text : '')).join('')
    expect(text).toBe(citesFirst({} as never))
    expect(fake.requests.at(-1)!.body.tools).toBeUndefined()
  })

  test('an error inside the stream is a failure of the server', async () => {
    fake.faults.push({ kind: 'error-frame', after: 2 })
    await expect(ask(create())).rejects.toMatchObject({ code: 'model-unavailable', retryable: true })
  })

  test('an account without credit is for the operator', async () => {
    fake.faults.push({ kind: 'status', status: 429, code: 'insufficient_quota' })
    await expect(ask(create())).rejects.toMatchObject({ code: 'bad-model', retryable: false, message: expect.stringContaining('credit') })
  })

  test('a server that is not there can be tried again', async () => {
    const away = createOpenai('gpt-4.1', { apiKey: 'k', baseUrl: 'http://127.0.0.1:9/v1', isOpenai: true })
    await expect(ask(away)).rejects.toMatchObject({ code: 'model-unavailable', retryable: true })
  })

  test('a server of one’s own that refuses connections, or says that it loads, is starting', async () => {
    const ours = { apiKey: null, isOpenai: false }
    const gone = await startFakeOpenai()
    await gone.close()
    await expect(ask(createOpenai('qwen', { ...ours, baseUrl: gone.url }))).rejects.toMatchObject({ code: 'model-cold', retryable: true })
    fake.faults.push({ kind: 'cold' })
    await expect(ask(createOpenai('qwen', { ...ours, baseUrl: fake.url }))).rejects.toMatchObject({ code: 'model-cold' })
  })

  test('Retry-After may be a date', async () => {
    const at = new Date(Math.ceil(Date.now() / 1000) * 1000 + 60_000)
    fake.faults.push({ kind: 'status', status: 429, retryAfter: at.toUTCString() })
    await expect(ask(create())).rejects.toMatchObject({ retryAt: at })
  })
})

describe('where the key goes', () => {
  const settings = () => ({ ...withoutKeys, openai: { apiKey: 'sk-of-openai', baseUrl: fake.url } })

  test('to the base URL that the environment names', async () => {
    const [model] = createModels(toChain('openai:gpt-4.1', 'DEV_MODELS'), settings())
    await ask(model!)
    expect(fake.requests.at(-1)!.key).toBe('sk-of-openai')
  })

  test('not to another server, which gets the parameters that every server knows', async () => {
    const other = await startFakeOpenai()
    const [model] = createModels(toChain(`openai:qwen/qwen3-8b@${other.url}`, 'DEV_MODELS'), settings())
    await ask(model!)
    expect(model!.id).toBe('openai:qwen/qwen3-8b')
    expect(model!.price).toEqual({ input: 0, output: 0 })
    expect(other.requests[0]!.key).toBeNull()
    expect(other.requests[0]!.body).toMatchObject({ model: 'qwen/qwen3-8b', max_tokens: 500 })
    await other.close()
  })

  test('without one a model is refused that needs it', () => {
    expect(() => createModels(toChain('openai:gpt-4.1', 'DEV_MODELS'), withoutKeys)).toThrow('openai:gpt-4.1 needs OPENAI_API_KEY; set it')
    expect(createModels(toChain('openai:qwen@http://127.0.0.1:8000/v1', 'DEV_MODELS'), withoutKeys)).toHaveLength(1)
  })

  test('no address, key or account is taken from the environment behind our back', async () => {
    vi.stubEnv('OPENAI_ORG_ID', 'org-canary')
    vi.stubEnv('OPENAI_PROJECT_ID', 'project-canary')
    vi.stubEnv('OPENAI_API_KEY', 'sk-canary')
    vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:9/canary')
    await ask(create())
    vi.unstubAllEnvs()
    expect(JSON.stringify(fake.requests.at(-1)!.headers)).not.toContain('canary')
  })
})
