import { describe, expect, test } from 'vitest'
import type { ChatEvent, ChatModel, ChatRequest } from '../models/chat-model.ts'
import { holdToLimits } from '../models/hold-to-limits.ts'
import { checkCitations } from '../retrieval/check-citations.ts'
import { webhookEvidence } from './evidence.ts'

/** What a provider can do to one call, and what the model must make of it. */
const faults = {
  'a server that never answers': { code: 'model-unavailable', retryable: true, speaks: false },
  'a server that falls silent while it speaks': { code: 'model-unavailable', retryable: true, speaks: true },
  'an answer that never ends': { code: 'model-unavailable', retryable: true, speaks: true },
  'a rate limit of 30 s': { code: 'model-unavailable', retryable: true, speaks: false },
  'a server in trouble': { code: 'model-unavailable', retryable: true, speaks: false },
  'a refused key': { code: 'bad-model', retryable: false, speaks: false },
  'a model that is not there': { code: 'bad-model', retryable: false, speaks: false },
  'a prompt that is too long': { code: 'model-refused', retryable: false, speaks: false },
  'a connection that is cut': { code: 'model-unavailable', retryable: true, speaks: true },
  'a stream that ends early': { code: 'model-unavailable', retryable: true, speaks: true },
  'a frame that cannot be read': { code: 'model-unavailable', retryable: true, speaks: true },
  'an answer without a word': { code: 'model-unavailable', retryable: true, speaks: false },
  'an answer of many megabytes': { code: 'model-unavailable', retryable: true, speaks: true },
} as const

/** Faults that only a deadline ends, and deadlines that a test can wait for. */
const hasty = new Set<string>(['a server that never answers', 'a server that falls silent while it speaks', 'an answer that never ends'] satisfies ModelFault[])
const hastyDeadlines = { first: 1_500, silence: 1_500, total: 3_000 }

/** Names of the faults of the contract. */
export type ModelFault = keyof typeof faults

/** The faults of a model behind a network: `cause` makes the fake of its provider do one to every call from now on, null ends it. */
export type FaultRig = {
  cause(fault: ModelFault | null): void
  /** Calls that reached the fake. */
  calls(): number
  /** Whether the last of them was ended by the model. */
  isAborted(): boolean
}

/**
 * The whole test of a chat model, held to its limits as every chain holds it. `create` opens it, against a fake of its provider where it has one; the fake must answer
 * with text that cites a passage of the request.
 */
export function modelContract(name: string, create: () => ChatModel, options: { isDeterministic: boolean; rig?: () => FaultRig }): void {
  const request = (question: string): ChatRequest => ({
    agent: 'dev', system: 'Answer from the passages.', messages: [{ role: 'user', content: question }], evidence: webhookEvidence(question), maxOutputTokens: 500,
  })
  const read = async (model: ChatModel, question: string, signal = new AbortController().signal) => {
    const events: ChatEvent[] = []
    for await (const event of model.stream(request(question), signal)) events.push(event)
    return events
  }
  const textOf = (events: ChatEvent[]) => events.map((event) => (event.kind === 'text' ? event.text : '')).join('')

  describe(`chat model ${name}`, () => {
    test('says what it is', () => {
      const model = create()
      expect(model.id).toMatch(/^[a-z][a-z0-9-]*:\S+$/)
      expect(model.limits.inputTokens).toBeGreaterThan(0)
      expect(model.limits.outputTokens).toBeGreaterThan(0)
      expect(model.price.input).toBeGreaterThanOrEqual(0)
      expect(model.price.output).toBeGreaterThanOrEqual(0)
    })

    test('streams text in more than one piece and its usage once, last', async () => {
      const events = await read(create(), 'Where do we verify webhook signatures?')
      expect(events.filter(({ kind }) => kind === 'text').length).toBeGreaterThan(1)
      expect(events.filter(({ kind }) => kind === 'usage')).toEqual([events.at(-1)])
      expect(textOf(events).trim()).not.toBe('')
    })

    test('cites passages that it was given, and no others', async () => {
      const question = 'Where do we verify webhook signatures?'
      const { cited, unknown } = checkCitations(textOf(await read(create(), question)), webhookEvidence(question))
      expect(cited.length).toBeGreaterThan(0)
      expect(unknown).toEqual([])
    })

    test('ends with the reason of a signal that fired before', async () => {
      const reason = new Error('stopped before')
      await expect(read(create(), 'Where is dispatch?', AbortSignal.abort(reason))).rejects.toBe(reason)
    })

    test('ends with the reason of a signal that fires while it speaks', async () => {
      const stop = new AbortController()
      const reason = new Error('stopped meanwhile')
      const run = async () => {
        for await (const event of create().stream(request('Where do we verify webhook signatures?'), stop.signal)) if (event.kind === 'text') stop.abort(reason)
      }
      await expect(run()).rejects.toBe(reason)
    })

    test('keeps answers apart that are asked at once', async () => {
      const model = create()
      const questions = ['Where do we verify webhook signatures?', 'Who calls dispatch?']
      const alone = await Promise.all(questions.map((question) => read(create(), question)))
      const together = await Promise.all(questions.map((question) => read(model, question)))
      if (options.isDeterministic) expect(together).toEqual(alone)
      else for (const events of together) expect(events.at(-1)?.kind).toBe('usage')
    })
  
    const { rig } = options
    if (!rig) return

    describe.each(Object.entries(faults))('with %s', (fault, expected) => {
      test('ends in one error that tells whether waiting helps, after one attempt', async () => {
        const before = rig().calls()
        rig().cause(fault as ModelFault)
        const events: ChatEvent[] = []
        const run = async () => {
          const model = holdToLimits(create(), hasty.has(fault) ? hastyDeadlines : undefined)
          for await (const event of model.stream(request('Where is dispatch?'), new AbortController().signal)) events.push(event)
        }
        const error = await run().then(() => null, (thrown: unknown) => thrown)
        rig().cause(null)
        expect(error).toMatchObject({ name: 'NuraError', code: expected.code, retryable: expected.retryable })
        expect(rig().calls() - before).toBe(1)
        expect(events.some(({ kind }) => kind === 'text')).toBe(expected.speaks)
        expect(events.filter(({ kind }) => kind === 'usage')).toEqual([])
        expect(JSON.stringify([String(error), String((error as Error).cause)])).not.toContain('canary')
        const retryAt = (error as { retryAt?: Date }).retryAt?.getTime() ?? 0
        expect(retryAt > Date.now()).toBe(fault === 'a rate limit of 30 s')
      })

      test('the next call is answered', async () => {
        expect((await read(create(), 'Where is dispatch?')).at(-1)?.kind).toBe('usage')
      })
    })

    test('an abort ends a call that hangs, with its reason, and the server hears of it', async () => {
      rig().cause('a server that falls silent while it speaks')
      const stop = new AbortController()
      const reason = new Error('stopped meanwhile')
      const run = async () => {
        for await (const event of create().stream(request('Where is dispatch?'), stop.signal)) if (event.kind === 'text') setImmediate(() => stop.abort(reason))
      }
      await expect(run()).rejects.toBe(reason)
      await expect.poll(() => rig().isAborted()).toBe(true)
      rig().cause(null)
    })
  })
}
