import type { TenantDb } from '#db/index.ts'
import type { AnswerPart } from './answer-part.ts'
import type { Question } from './answer.ts'
import { surfaceOf } from './store-answer.ts'
import { inSpanStream } from './tracing/span.ts'

/** The same answer in a span of its own, whoever asked: the API, a platform, or GitHub. */
export function traceAnswer(tenant: TenantDb, { thread }: Question, run: () => AsyncIterable<AnswerPart>): AsyncGenerator<AnswerPart> {
  return inSpanStream('answer question', { 'nura.tenant': tenant.id, 'nura.surface': surfaceOf(thread) }, async function* (span) {
    for await (const part of run()) {
      if (part.kind === 'done') span.set({ 'nura.agent': part.agent, 'nura.abstained': part.abstained, 'nura.outcome': part.abstained ? 'abstained' : 'answered' })
      if (part.kind === 'error') span.set({ 'nura.outcome': 'failed', 'error.type': part.code })
      yield part
    }
  })
}
