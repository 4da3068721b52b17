import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { NuraError } from '#db/nura-error.ts'
import { startFakeAnthropic } from '../testing/fake-anthropic.ts'
import type { AnthropicFault, FakeAnthropic } from '../testing/fake-anthropic.ts'
import { citing } from '../testing/fake-model.ts'
import { webhookEvidence } from '../testing/evidence.ts'
import { modelContract } from '../testing/model-contract.ts'
import type { ModelFault } from '../testing/model-contract.ts'
import { withoutKeys } from '../testing/without-keys.ts'
import { createAnthropic } from './anthropic.ts'
import type { ChatEvent, ChatMessage, ChatModel } from './chat-model.ts'
import { createModels, toChain } from './index.ts'

const wire: Record<ModelFault, AnthropicFault> = {
  'a server that never answers': { kind: 'hang' },
  'a server that falls silent while it speaks': { kind: 'hang', after: 3 },
  'an answer that never ends': { kind: 'slow', ms: 300 },
  'a rate limit of 30 s': { kind: 'status', status: 429, code: 'rate_limit_error', retryAfter: '30' },
  'a server in trouble': { kind: 'status', status: 529, code: 'overloaded_error' },
  'a refused key': { kind: 'status', status: 401, code: 'authentication_error' },
  'a model that is not there': { kind: 'status', status: 404, code: 'not_found_error' },
  'a prompt that is too long': { kind: 'status', status: 400, code: 'invalid_request_error', message: 'prompt is too long: 250000 tokens > 200000 maximum' },
  'a connection that is cut': { kind: 'cut', after: 3 },
  'a stream that ends early': { kind: 'end', after: 3 },
  'a frame that cannot be read': { kind: 'malformed', after: 3 },
  'an answer without a word': { kind: 'empty' },
  'an answer of many megabytes': { kind: 'flood', bytes: 50_000_000 },
}

let fake: FakeAnthropic
beforeAll(async () => void (fake = await startFakeAnthropic()))
afterEach(() => vi.unstubAllEnvs())
afterAll(() => fake.close())

const create = (model = 'claude-opus-4-6') => createAnthropic(model, { apiKey: 'sk-test', baseUrl: fake.url })

modelContract('anthropic', () => create(), {
  isDeterministic: true,
  rig: () => ({
    cause: (fault) => void (fake.fault = fault && wire[fault]),
    calls: () => fake.requests.length,
    isAborted: () => fake.requests.at(-1)!.aborted,
  }),
})

async function ask(model: ChatModel, messages: ChatMessage[] = [{ role: 'user', content: 'Where?' }], maxOutputTokens = 500): Promise<ChatEvent[]> {
  const events: ChatEvent[] = []
  for await (const event of model.stream({ agent: 'dev', system: 'Be short.', messages, evidence: webhookEvidence('Where?'), maxOutputTokens }, new AbortController().signal)) events.push(event)
  return events
}

async function failWith(fault: AnthropicFault): Promise<NuraError> {
  fake.faults.push(fault)
  const error = await ask(create()).then(() => null, (thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(NuraError)
  expect(JSON.stringify([String(error), String((error as Error).cause)])).not.toContain('canary')
  return error as NuraError
}

describe('a request', () => {
  test('carries our words, the conversation and the most tokens', async () => {
    await ask(create())
    expect(fake.requests.at(-1)).toMatchObject({ key: 'sk-test' })
    expect(fake.requests.at(-1)!.body).toEqual({ model: 'claude-opus-4-6', stream: true, max_tokens: 500, system: 'Be short.', messages: [{ role: 'user', content: 'Where?' }] })
  })

  test('never asks for more than the model writes', async () => {
    await ask(create('claude-haiku-4-5'), undefined, 1_000_000)
    expect(fake.requests.at(-1)!.body.max_tokens).toBe(64_000)
  })

  test('begins with a user, alternates and has no blank message, whatever the thread was', async () => {
    const said = (role: ChatMessage['role'], content: string) => ({ role, content })
    await ask(create(), [said('assistant', 'Hello.'), said('user', 'One'), said('user', 'Two'), said('assistant', ' \n'), said('user', 'Three'), said('assistant', 'Four'), said('assistant', 'Five'), said('user', 'Six')])
    expect(fake.requests.at(-1)!.body.messages).toEqual([said('user', 'One\n\nTwo\n\nThree'), said('assistant', 'Four\n\nFive'), said('user', 'Six')])
  })

  test.each([
    ['claude-opus-4-6', {}],
    ['claude-sonnet-5', { thinking: { type: 'disabled' } }],
    ['claude-sonnet-5-5', { thinking: { type: 'between_tools' } }],
    ['claude-opus-5-5', { output_config: { effort: 'low' }, max_tokens: 2_500 }],
    ['a-model-nobody-described', {}],
  ])('keeps %s from thinking before it speaks with %j', async (model, fields) => {
    await ask(create(model))
    const { thinking, output_config, max_tokens } = fake.requests.at(-1)!.body
    expect({ thinking, output_config, max_tokens }).toEqual({ thinking: undefined, output_config: undefined, max_tokens: 500, ...fields })
  })
})

describe('an answer', () => {
  test('counts tokens that came from the cache or went into it', async () => {
    expect((await ask(create())).at(-1)).toEqual({ kind: 'usage', inputTokens: 900, outputTokens: 60 })
  })

  test('adds up to what the server counted', async () => {
    const counting = await startFakeAnthropic()
    counting.usage = 'counted'
    const model = createAnthropic('claude-opus-4-6', { apiKey: null, baseUrl: counting.url })
    const events = [...(await ask(model)), ...(await ask(model, [{ role: 'user', content: 'Where is it?' }]))]
    const sum = (key: 'inputTokens' | 'outputTokens') => events.reduce((total, event) => total + (event.kind === 'usage' ? event[key] : 0), 0)
    expect({ inputTokens: sum('inputTokens'), outputTokens: sum('outputTokens') }).toEqual(counting.reported)
    expect(counting.reported).toEqual({ inputTokens: 3 + 5, outputTokens: 2 * citing.split(/\s+/).filter(Boolean).length })
    await counting.close()
  })

  test('is its text alone: thoughts and tools are left out', async () => {
    fake.faults.push({ kind: 'other-blocks' })
    const events = await ask(create())
    expect(events.map((event) => (event.kind === 'text' ? event.text : '')).join('')).toBe(citing)
  })

  test('that is declined is for another model', async () => {
    expect(await failWith({ kind: 'refusal', after: 0 })).toMatchObject({ code: 'model-refused', retryable: false })
  })

  test('that is declined in its midst ends there', async () => {
    fake.faults.push({ kind: 'refusal', after: 2 })
    expect((await ask(create())).map(({ kind }) => kind)).toEqual(['text', 'text', 'usage'])
  })
})

describe('a failure', () => {
  test.each([
    ['overloaded_error', 'model-unavailable'],
    ['rate_limit_error', 'model-unavailable'],
    ['authentication_error', 'bad-model'],
    ['a-word-made-since', 'model-unavailable'],
  ])('inside the stream, %s, is %s', async (code, expected) => {
    expect(await failWith({ kind: 'error-frame', after: 2, code })).toMatchObject({ code: expected })
  })

  test('names the key that was refused', async () => {
    expect((await failWith({ kind: 'status', status: 401, code: 'authentication_error' })).message).toContain('ANTHROPIC_API_KEY')
  })

  test.each<AnthropicFault>([
    { kind: 'status', status: 402, code: 'billing_error' },
    { kind: 'status', status: 400, code: 'invalid_request_error', message: 'Your credit balance is too low to access the Anthropic API' },
  ])('of an account without credit is for the operator: %j', async (fault) => {
    expect(await failWith(fault)).toMatchObject({ code: 'bad-model', message: expect.stringContaining('credit') })
  })

  test('of a server that is not there can be tried again', async () => {
    const gone = await startFakeAnthropic()
    await gone.close()
    const away = createAnthropic('claude-opus-4-6', { apiKey: 'k', baseUrl: gone.url })
    await expect(ask(away)).rejects.toMatchObject({ code: 'model-unavailable', retryable: true, cause: expect.objectContaining({ message: 'ECONNREFUSED' }) })
  })
})

describe('where the key goes', () => {
  const settings = () => ({ ...withoutKeys, anthropic: { apiKey: 'sk-of-anthropic', baseUrl: fake.url } })

  test('to the base URL that the environment names', async () => {
    const [model] = createModels(toChain('anthropic:claude-opus-4-6', 'DEV_MODELS'), settings())
    await ask(model!)
    expect(fake.requests.at(-1)!.key).toBe('sk-of-anthropic')
  })

  test('not to another server', async () => {
    const other = await startFakeAnthropic()
    const [model] = createModels(toChain(`anthropic:claude-opus-4-6@${other.url}`, 'DEV_MODELS'), settings())
    await ask(model!)
    expect(model!.id).toBe('anthropic:claude-opus-4-6')
    expect(other.requests[0]!.key).toBeNull()
    await other.close()
  })

  test('without one a model is refused that needs it', () => {
    expect(() => createModels(toChain('anthropic:claude-opus-4-6', 'DEV_MODELS'), withoutKeys)).toThrow('anthropic:claude-opus-4-6 needs ANTHROPIC_API_KEY; set it, or name a server that asks for none: anthropic:claude-opus-4-6@https://…')
    expect(createModels(toChain('anthropic:claude-opus-4-6@http://127.0.0.1:8000', 'DEV_MODELS'), withoutKeys)).toHaveLength(1)
  })

  test.each(['sk-test', null])('no address, key, header or profile is taken from the environment behind our back, with the key %j', async (apiKey) => {
    vi.stubEnv('ANTHROPIC_API_KEY', 'sk-canary')
    vi.stubEnv('ANTHROPIC_AUTH_TOKEN', 'token-canary')
    vi.stubEnv('ANTHROPIC_BASE_URL', 'http://127.0.0.1:9/canary')
    vi.stubEnv('ANTHROPIC_PROFILE', 'canary')
    vi.stubEnv('ANTHROPIC_CUSTOM_HEADERS', 'authorization: Bearer canary\nx-gateway: canary')
    await ask(createAnthropic('claude-opus-4-6', { apiKey, baseUrl: fake.url }))
    expect(fake.requests.at(-1)!.key).toBe(apiKey)
    expect(JSON.stringify(fake.requests.at(-1)!.headers)).not.toContain('canary')
  })
})
