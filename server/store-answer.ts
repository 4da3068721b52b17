import type { TenantDb } from '#db/index.ts'
import { saveAnswer } from '#db/tenant/answers.ts'
import { readChunks } from '#db/tenant/chunks.ts'
import type { RepeatableAnswer } from '#db/tenant/repeatable-answer.ts'
import { saveThread } from '#db/tenant/threads.ts'
import { saveModelCalls } from '#db/tenant/usage.ts'
import { findAgent } from './agents/index.ts'
import type { GraphOutcome } from './agents/graph-state.ts'
import { promptVersion } from './agents/prompt.ts'
import { writeWhoKnows } from './agents/who-knows.ts'
import type { WhoKnows } from './agents/who-knows.ts'
import type { Citation, Usage } from './answer-part.ts'
import { toAsked } from './asked.ts'
import type { Question } from './answer.ts'
import type { StoredEvidence } from './retell.ts'
import type { ModelCall } from './models/chain.ts'
import type { Passage } from './retrieval/passage.ts'
import type { SearchResult } from './retrieval/search.ts'

/** What a turn came across on its way to the answer. */
export type Found = {
  result?: SearchResult
  whoKnows?: WhoKnows | null
  /** Calls of models that no stored answer accounts for yet. */
  calls: { agent: string; call: ModelCall }[]
}

/** What led to the answer, for «Why?» and for us. Places, names and figures; no text of any source. */
export function toTrace(outcome: GraphOutcome, { result, whoKnows }: Omit<Found, 'calls'>, timings: Record<string, number>): Record<string, unknown> {
  const { choice, resolved, views, sections, retrieved, abstained, calls, check } = outcome
  return {
    chosen: choice,
    searchedFor: resolved.carried === null ? null : resolved.question,
    ...(views.length > 1 ? { views } : {}),
    ...(sections.length > 0 ? { counted: sections.map(({ report: { title, asOf, timeZone, range, figures } }) => ({ title, asOf, timeZone, range, figures: figures.length })) } : {}),
    strength: retrieved?.strength ?? 0,
    missing: result?.strength.missing ?? [],
    abstained,
    degraded: result?.degraded ?? null,
    passages: (retrieved?.evidence.passages ?? []).map(({ n, repository, path, startLine, endLine, sha, score, legs }) => ({ n, repository, path, startLine, endLine, sha, score, legs })),
    search: retrieved?.trace ?? null,
    ...(whoKnows ? { whoKnows: { owners: whoKnows.owners.flatMap(({ accounts }) => accounts), line: writeWhoKnows(whoKnows, new Date()) } } : {}),
    prompt: promptVersion(findAgent(choice.agent)),
    models: calls,
    check,
    timings: { ...timings, ...Object.fromEntries(Object.entries(retrieved?.timings ?? {}).map(([leg, ms]) => [`retrieve.${leg}`, ms])) },
  }
}

/** Stores an answer in its thread with the chunks it cites and the calls it cost. @returns its id */
export async function storeAnswer(
  tenant: TenantDb,
  question: Question,
  told: { markdown: string; outcome: GraphOutcome; citations: { citation: Citation; passage: Passage }[]; usage: Usage; trace: Record<string, unknown>; evidence: StoredEvidence; calls: Found['calls'] },
): Promise<string> {
  const { text, thread, asker, agent: wish } = question
  const { markdown, outcome, citations, usage, trace, evidence, calls } = told
  return tenant.together(async (joined) => {
    if (thread) await saveThread(joined, { key: thread, surface: surfaceOf(thread), agent: wish })
    const keys = new Map((await readChunks(joined, evidence.chunkIds)).map(({ chunkId, chunkKey }) => [chunkId, chunkKey]))
    const citedChunks = citations.flatMap(({ citation, passage }) => {
      const chunkKey = keys.get(passage.chunkId)
      return chunkKey === undefined ? [] : [{ n: citation.n, chunkId: passage.chunkId, chunkKey }]
    })
    const { agent } = outcome.choice
    const answerId = await saveAnswer(joined, {
      thread: thread ?? null, asker, question: text, agent, markdown, abstained: outcome.abstained,
      citations: citations.map(({ citation }) => citation), trace, usage, evidence, citedChunks, asked: toAsked(question),
    })
    await storeCalls(joined, calls, answerId)
    return answerId
  })
}

/** Stores what calls of models cost, with the answer that came of them; null where none did. */
export async function storeCalls(tenant: TenantDb, calls: Found['calls'], answerId: string | null): Promise<void> {
  await saveModelCalls(tenant, calls.map(({ agent, call: { model, ms, ...call } }) => ({ ...call, answerId, agent, provider: model.split(':')[0]!, model, milliseconds: ms })))
}

/** Stores an answer that repeats an earlier one: it rests on the same chunks and cost nothing. @returns its id */
export async function storeRepeat(
  tenant: TenantDb,
  question: Question,
  { id, agent, markdown, citations, citedChunks, trace, evidence }: RepeatableAnswer,
  timings: Record<string, number>,
): Promise<string> {
  const { text, thread, asker, agent: wish } = question
  return tenant.together(async (joined) => {
    if (thread) await saveThread(joined, { key: thread, surface: surfaceOf(thread), agent: wish })
    return saveAnswer(joined, {
      thread: thread ?? null, asker, question: text, agent, markdown, abstained: false,
      citations, trace: { ...trace, repeats: id, models: [], timings }, usage: free, evidence, citedChunks, asked: toAsked(question),
    })
  })
}

/** Where an answer and what it cost are written down. */
export type Records = { storeAnswer: typeof storeAnswer; storeCalls: typeof storeCalls }
export const inTheTenant: Records = { storeAnswer, storeCalls }

/** What an answer costs that no model wrote. */
export const free: Usage = { models: [], tokens: 0, costUsd: 0 }

/** Where a conversation is held; `api` where its key does not say. */
export function surfaceOf(thread: string | undefined): string {
  return /^(slack|teams|github|terminal):/.exec(thread ?? '')?.[1] ?? 'api'
}
