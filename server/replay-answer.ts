import { randomUUID } from 'node:crypto'
import type { TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import type { Turn } from './agents/memory.ts'
import type { Citation } from './answer-part.ts'
import { answer } from './answer.ts'
import type { AnswerParts, Question } from './answer.ts'
import type { Records } from './store-answer.ts'
import type { ThreadMemory } from './thread-memory.ts'

/** What a question is answered now. `trace` and `repositoryIds` are what its row would hold. */
export type Replayed = {
  agent: string
  markdown: string
  abstained: boolean
  citations: Citation[]
  trace: Record<string, unknown>
  repositoryIds: string[]
  costUsd: number
}

/** What an answer needs, without what remembers or counts it. */
export type QuietParts = Omit<AnswerParts, 'threads' | 'records' | 'repeats' | 'cacheQueries' | 'metrics' | 'langsmith'>

/**
 * Answers a question as it would be answered now, and writes nothing down: no answer, no thread, no cost, no figure, and nothing in a
 * cache or at LangSmith. A model is asked, and paid, as ever.
 * @param before the turns of its thread before it
 * @throws NuraError what the question is refused with
 */
export async function replayAnswer(parts: QuietParts, tenant: TenantDb, question: Question, before: Turn[], signal: AbortSignal): Promise<Replayed> {
  const threads: ThreadMemory = { recall: async () => ({ agent: null, rows: [], turns: before }), keep() {}, async forget() {} }
  let kept: Parameters<Records['storeAnswer']>[2] | undefined
  const records: Records = {
    async storeAnswer(_tenant, _question, told) {
      kept = told
      return randomUUID()
    },
    async storeCalls() {},
  }
  for await (const part of answer({ ...parts, threads, records }, tenant, question, signal)) {
    if (part.kind === 'error') throw new NuraError(part.code, part.message, { retryable: part.retryable })
  }
  if (!kept) throw new Error('an answer ended that was never told')
  const { markdown, outcome, citations, trace, evidence, usage } = kept
  return { agent: outcome.choice.agent, markdown, abstained: outcome.abstained, citations: citations.map(({ citation }) => citation), trace, repositoryIds: evidence.repositoryIds, costUsd: usage.costUsd }
}
