import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { NuraError } from '#db/nura-error.ts'
import { webhookEvidence } from '../testing/evidence.ts'
import { withoutKeys } from '../testing/without-keys.ts'
import { streamChain } from './chain.ts'
import type { ChainEvent, ChainOptions, ModelCall } from './chain.ts'
import type { ChatModel } from './chat-model.ts'
import { createModels, toChain } from './index.ts'

const request = { agent: 'dev', system: '', messages: [], evidence: webhookEvidence('Where?'), maxOutputTokens: 100 }

function scripted(id: string, script: (string | Error)[]): ChatModel {
  return {
    id, limits: { inputTokens: 1_000, outputTokens: 100 }, price: { input: 1, output: 2 },
    async *stream() {
      for (const step of script) {
        if (step instanceof Error) throw step
        yield { kind: 'text', text: step }
      }
      yield { kind: 'usage', inputTokens: 500_000, outputTokens: 250_000 }
    },
  }
}

async function run(models: ChatModel[], signal = new AbortController().signal, more: Pick<ChainOptions, 'hasShown' | 'patienceMs'> = {}): Promise<{ events: ChainEvent[]; calls: ModelCall[]; error?: unknown }> {
  const events: ChainEvent[] = []
  const calls: ModelCall[] = []
  try {
    for await (const event of streamChain(models, () => request, { signal, onCall: (call) => calls.push(call), ...more })) events.push(event)
    return { events, calls }
  } catch (error) {
    return { events, calls, error }
  }
}

describe('a chain of models', () => {
  test('answers from the first and counts what it cost', async () => {
    const { events, calls } = await run([scripted('a:1', ['yes']), scripted('b:1', ['no'])])
    expect(events[0]).toEqual({ kind: 'text', text: 'yes' })
    expect(calls).toMatchObject([{ model: 'a:1', outcome: 'answered', inputTokens: 500_000, outputTokens: 250_000, costUsd: 1 }])
  })

  test('goes on to the next when one fails before it spoke', async () => {
    const { events, calls } = await run([scripted('a:1', [new Error('away')]), scripted('b:1', ['yes'])])
    expect(events[0]).toEqual({ kind: 'text', text: 'yes' })
    expect(calls.map(({ model, outcome }) => [model, outcome])).toEqual([['a:1', 'failed'], ['b:1', 'answered']])
  })

  test('does not start another answer behind half of one', async () => {
    const died = new Error('died')
    const { events, calls, error } = await run([scripted('a:1', ['half', died]), scripted('b:1', ['yes'])])
    expect(events).toEqual([{ kind: 'text', text: 'half' }])
    expect(error).toMatchObject({ code: 'model-interrupted', retryable: true, cause: died })
    expect(calls.map(({ outcome }) => outcome)).toEqual(['failed'])
  })

  test('begins anew with the next one while nothing of the first was shown, and counts what the first one wrote', async () => {
    const { events, calls } = await run([scripted('a:1', ['half of it', new Error('died')]), scripted('b:1', ['yes'])], undefined, { hasShown: () => false })
    expect(events.slice(0, 3)).toEqual([{ kind: 'text', text: 'half of it' }, { kind: 'restart' }, { kind: 'text', text: 'yes' }])
    expect(calls).toMatchObject([{ outcome: 'failed', estimated: true, outputTokens: 3 }, { outcome: 'answered', estimated: false }])
  })

  test('does not count a model that rests as called', async () => {
    const resting = new NuraError('model-resting', 'a:1 failed again and again.', { retryable: true, retryAt: new Date('2030-01-01T00:00:00Z') })
    const { calls } = await run([scripted('a:1', [resting]), scripted('b:1', ['yes'])])
    expect(calls.map(({ model }) => model)).toEqual(['b:1'])
    expect((await run([scripted('a:1', [resting])])).error).toMatchObject({ code: 'model-unavailable', retryAt: resting.retryAt })
  })

  test('gives each model the request that fits it', async () => {
    const asked: string[] = []
    const toRequest = (model: ChatModel) => (asked.push(model.id), request)
    for await (const _ of streamChain([scripted('a:1', [new Error('away')]), scripted('b:1', ['yes'])], toRequest, { signal: new AbortController().signal, onCall: () => undefined })) void _
    expect(asked).toEqual(['a:1', 'b:1'])
  })

  test('says that waiting helps when none answers', async () => {
    const { error } = await run([scripted('a:1', [new Error('away')])])
    expect(error).toMatchObject({ code: 'model-unavailable', retryable: true })
  })
})

describe('a chain that nobody answers', () => {
  test('is given up after its patience, however many of its models hang; those that are left are not asked, and one that speaks is waited for', async () => {
    const hanging = (id: string): ChatModel => ({
      ...scripted(id, []),
      async *stream(_, signal) {
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
        yield { kind: 'text', text: 'never' }
      },
    })
    const { error, calls } = await run([hanging('a:1'), hanging('b:1'), hanging('c:1')], undefined, { patienceMs: 30 })
    expect(error).toMatchObject({ code: 'model-unavailable', retryable: true })
    expect(calls.map(({ model, outcome }) => [model, outcome])).toEqual([['a:1', 'failed']])
    const slow: ChatModel = {
      ...scripted('d:1', []),
      async *stream(_, signal) {
        yield { kind: 'text', text: 'one' }
        await sleep(60)
        signal.throwIfAborted()
        yield { kind: 'text', text: 'two' }
      },
    }
    expect((await run([slow], undefined, { patienceMs: 30 })).events.map((event) => event.kind === 'text' && event.text)).toEqual(['one', 'two'])
  })

  const limited = (at: string) => new NuraError('model-unavailable', 'limited', { retryable: true, retryAt: new Date(at) })

  test('names the first time at which a model may be asked again, when all named one', async () => {
    const both = [scripted('a:1', [limited('2030-01-01T00:02:00Z')]), scripted('b:1', [limited('2030-01-01T00:01:00Z')])]
    expect((await run(both)).error).toMatchObject({ retryable: true, retryAt: new Date('2030-01-01T00:01:00Z') })
    expect((await run([...both, scripted('c:1', [new Error('away')])])).error).toMatchObject({ retryable: true, retryAt: undefined })
  })

  test('is not worth waiting for when every model must be put right first', async () => {
    const wrong = scripted('a:1', [new NuraError('bad-model', 'the key is refused')])
    expect((await run([wrong])).error).toMatchObject({ code: 'model-unavailable', retryable: false })
    expect((await run([wrong, scripted('b:1', [new Error('away')])])).error).toMatchObject({ retryable: true })
  })

  test('tells of each call why it failed', async () => {
    const { calls } = await run([scripted('a:1', [new NuraError('model-unavailable', 'a:1 failed.', { cause: new Error('status 503') })]), scripted('b:1', [new TypeError('x')]), scripted('c:1', ['yes'])])
    expect(calls.map(({ failure }) => failure)).toEqual(['a:1 failed. (status 503)', 'TypeError', null])
  })
})

describe('the name of a chain', () => {
  test('is read in order, addresses included', () => {
    expect(toChain('extractive:default, extractive:default@https://proxy.example/v1', 'DEV_MODELS')).toEqual([
      { provider: 'extractive', model: 'default', baseUrl: null },
      { provider: 'extractive', model: 'default', baseUrl: 'https://proxy.example/v1' },
    ])
  })

  test.each([
    ['', 'names no model'],
    ['extractive', 'is not provider:model[@baseUrl]'],
    ['skynet:t800', 'there is no provider "skynet". Use one of: extractive, openai, anthropic, bedrock.'],
    ['extractive:default@ftp://x', 'is not an http(s) URL'],
  ])('%s is refused with the key and the fix', (text, message) => {
    expect(() => toChain(text, 'DEV_MODELS')).toThrow(expect.objectContaining({ code: 'bad-model', field: 'DEV_MODELS', message: expect.stringContaining(message) }))
  })

  test('a model that a provider does not have is refused', () => {
    expect(() => createModels(toChain('extractive:large', 'DEV_MODELS'), withoutKeys)).toThrow('extractive has one model: extractive:default.')
  })
})
