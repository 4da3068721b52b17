import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { webhookEvidence } from '../testing/evidence.ts'
import { startFakeAnthropic } from '../testing/fake-anthropic.ts'
import type { FakeAnthropic } from '../testing/fake-anthropic.ts'
import type { ModelFault as WireFault } from '../testing/fake-model.ts'
import { modelContract } from '../testing/model-contract.ts'
import type { ModelFault } from '../testing/model-contract.ts'
import { createAnthropic } from './anthropic.ts'
import type { ChatEvent, ChatMessage, ChatModel } from './chat-model.ts'
import { createModels, toChain } from './index.ts'

const wire: Record<ModelFault, WireFault> = {
  'a server that never answers': { kind: 'hang' },
  'a server that falls silent while it speaks': { kind: 'hang', after: 3 },
  'an answer that never ends': { kind: 'slow', ms: 300 },
  'a rate limit of 30 s': { kind: 'status', status: 429, code: 'rate_limit_error', retryAfter: '30' },
  'a server in trouble': { kind: 'status', status: 529, code: 'overloaded_error' },
  'a refused key': { kind: 'status', status: 401, code: 'authentication_error' },
  'a model that is not there': { kind: 'status', status: 404, code: 'not_found_error' },
  'a prompt that is too long': { kind: 'status', status: 400, code: 'invalid_request_error' },
  'a connection that is cut': { kind: 'cut', after: 3 },
  'a stream that ends early': { kind: 'end', after: 3 },
  'a frame that cannot be read': { kind: 'malformed', after: 3 },
  'an answer without a word': { kind: 'empty' },
  'an answer of many megabytes': { kind: 'flood', bytes: 50_000_000 },
}

let fake: FakeAnthropic
beforeAll(async () => void (fake = await startFakeAnthropic()))
afterEach(() => void Object.assign(fake, { fault: null, stopReason: 'end_turn' }))
afterAll(() => fake.close())

const create = () => createAnthropic('claude-sonnet-4-6', { apiKey: 'sk-ant-test', baseUrl: fake.url })

modelContract('anthropic', create, {
  isDeterministic: true,
  rig: () => ({ cause: (fault) => void (fake.fault = fault && wire[fault]), calls: () => fake.requests.length, isAborted: () => fake.requests.at(-1)!.aborted }),
})

async function ask(model: ChatModel, messages: ChatMessage[] = [{ role: 'user', content: 'Where?' }], maxOutputTokens = 500): Promise<ChatEvent[]> {
  const events: ChatEvent[] = []
  for await (const event of model.stream({ agent: 'dev', system: 'Be short.', messages, evidence: webhookEvidence('Where?'), maxOutputTokens }, new AbortController().signal)) events.push(event)
  return events
}

describe('a request to Anthropic', () => {
  test('carries our words apart from the conversation, and reports what it used', async () => {
    expect((await ask(create())).at(-1)).toEqual({ kind: 'usage', inputTokens: 900, outputTokens: 60 })
    expect(fake.requests.at(-1)).toMatchObject({ key: 'sk-ant-test', body: { model: 'claude-sonnet-4-6', system: 'Be short.', stream: true, max_tokens: 500, messages: [{ role: 'user', content: 'Where?' }] } })
  })

  test('alternates, begins with the user, and asks for no more than the model writes', async () => {
    await ask(create(), [{ role: 'assistant', content: 'lost' }, { role: 'user', content: 'a' }, { role: 'user', content: 'b' }, { role: 'assistant', content: 'c' }, { role: 'user', content: 'd' }], 1_000_000)
    expect(fake.requests.at(-1)!.body).toMatchObject({ max_tokens: 64_000, messages: [{ role: 'user', content: 'a\n\nb' }, { role: 'assistant', content: 'c' }, { role: 'user', content: 'd' }] })
  })

  test('that the model declines without a word is not tried again', async () => {
    fake.stopReason = 'refusal'
    fake.faults.push({ kind: 'empty' })
    await expect(ask(create())).rejects.toMatchObject({ code: 'model-refused' })
  })

  test('an error inside the stream is a failure of the server, whose words are not repeated', async () => {
    fake.faults.push({ kind: 'error-frame', after: 2 })
    const error = await ask(create()).then(() => null, (thrown: Error) => thrown)
    expect(error).toMatchObject({ code: 'model-unavailable', retryable: true })
    expect(`${error?.message} ${String(error?.cause)}`).not.toContain('canary')
  })
})

describe('where the key of Anthropic goes', () => {
  const settings = () => ({ openai: { apiKey: null, baseUrl: 'https://api.openai.com/v1' }, anthropic: { apiKey: 'sk-of-anthropic', baseUrl: 'https://api.anthropic.com' } })

  test('not to another server', async () => {
    const [model] = createModels(toChain(`anthropic:claude-sonnet-4-6@${fake.url}`, 'DEV_MODELS'), settings())
    await ask(model!)
    expect(fake.requests.at(-1)!.key).toBeNull()
    expect(JSON.stringify(fake.requests.at(-1)!.headers)).not.toContain('sk-of-anthropic')
  })

  test('without one a model is refused that needs it', () => {
    expect(() => createModels(toChain('anthropic:claude-sonnet-4-6', 'PM_MODELS'), { ...settings(), anthropic: { apiKey: null, baseUrl: 'https://api.anthropic.com' } })).toThrow('needs ANTHROPIC_API_KEY; set it')
  })

  test('no address, key or account is taken from the environment behind our back', async () => {
    for (const key of ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_PROFILE']) vi.stubEnv(key, 'canary')
    vi.stubEnv('ANTHROPIC_BASE_URL', 'http://127.0.0.1:9/canary')
    await ask(create())
    vi.unstubAllEnvs()
    expect(JSON.stringify(fake.requests.at(-1)!.headers)).not.toContain('canary')
  })
})
