import { describe, expect, test } from 'vitest'
import type { ChatEvent, ChatModel, ChatRequest } from '../models/chat-model.ts'
import { checkCitations } from '../retrieval/check-citations.ts'
import { webhookEvidence } from './evidence.ts'

/**
 * The whole test of a chat model. `create` opens it, against a fake of its provider where it has one; the fake must answer
 * with text that cites a passage of the request.
 */
export function modelContract(name: string, create: () => ChatModel, options: { isDeterministic: boolean }): void {
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
  })
}
