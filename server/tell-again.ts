import type { TenantDb } from '#db/index.ts'
import type { RepeatableAnswer } from '#db/tenant/repeatable-answer.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { Citation } from './answer-part.ts'
import type { AnswerPart } from './answer-part.ts'
import type { AnswerParts, Question } from './answer.ts'
import { toFreshness } from './freshness.ts'
import { free, storeRepeat } from './store-answer.ts'
import type { Remembered, ThreadMemory } from './thread-memory.ts'

/** Whether nothing stands around a question that could change its answer. */
export function isAlone({ context = [], overlay }: Pick<Question, 'context' | 'overlay'>, { turns }: Pick<Remembered, 'turns'>): boolean {
  return context.length === 0 && turns.length === 0 && overlay === undefined
}

/**
 * Tells an earlier answer to the same question as an answer of its own: with its own row, how fresh its sources are now, and
 * no cost.
 */
export async function* tellAgain(
  { threads, log }: Pick<AnswerParts, 'log'> & { threads: ThreadMemory },
  tenant: TenantDb,
  question: Question,
  earlier: RepeatableAnswer,
  turn: { readable: Repository[]; remembered: Remembered; started: number; trace: string },
): AsyncGenerator<AnswerPart> {
  const { id, agent, markdown } = earlier
  const { readable, remembered, started, trace } = turn
  const citations = Citation.array().parse(earlier.citations)
  yield { kind: 'status', text: 'Found the answer to the same question' }
  for (const citation of citations) yield { kind: 'citation', citation }
  yield { kind: 'text', markdown }
  const timings = { total: performance.now() - started }
  const answerId = await storeRepeat(tenant, question, earlier, timings)
  if (question.thread) threads.keep(tenant, question.thread, remembered, { answerId, question: question.text, markdown, abstained: false })
  log?.info({ trace, answerId, agent, repeats: id, timings }, 'answer repeated')
  yield { kind: 'done', answerId, agent, abstained: false, freshness: toFreshness(readable, citations), usage: free, timings, trace }
}
