import { randomUUID } from 'node:crypto'
import type { TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import type { Repository } from '#db/tenant/repository.ts'
import type { ActivityAnswer } from './activity/activity-answer.ts'
import { findAgent } from './agents/index.ts'
import type { AgentName } from './agents/index.ts'
import { runGraph } from './agents/graph.ts'
import type { GraphInput, GraphOutcome } from './agents/graph-state.ts'
import type { Langsmith } from './agents/langsmith/open-langsmith.ts'
import { withinBudget } from './agents/memory.ts'
import type { ContextMessage } from './agents/memory.ts'
import type { WhoKnowsParts } from './agents/who-knows.ts'
import type { AnswerPart, Citation, Report, Usage } from './answer-part.ts'
import { isWorthRepeating } from './answer-repeats.ts'
import type { AnswerRepeats } from './answer-repeats.ts'
import { spentNotice, withinDayBudget } from './day-budget.ts'
import { createRef, toFailure } from './errors.ts'
import { toFreshness } from './freshness.ts'
import { redact } from './indexing/redact.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { ChatModel } from './models/chat-model.ts'
import { visible } from './models/extractive/prose.ts'
import type { DecidedAudience } from './retrieval/audience.ts'
import { toCitation } from './retrieval/cite.ts'
import { openRetelling, toStoredEvidence } from './retell.ts'
import type { Overlay } from './retrieval/overlay.ts'
import type { Passage } from './retrieval/passage.ts'
import { readableRepositories } from './retrieval/readable-repositories.ts'
import type { SearchParts } from './retrieval/search.ts'
import { inTheTenant, toTrace } from './store-answer.ts'
import type { Found, Records } from './store-answer.ts'
import { isAlone, tellAgain } from './tell-again.ts'
import { toGraphParts } from './to-graph-parts.ts'
import { createThreadMemory } from './thread-memory.ts'
import type { Remembered, ThreadMemory } from './thread-memory.ts'
import { inSpan } from './tracing/span.ts'
import { currentTraceId } from './tracing/traceparent.ts'

/** What is said once where the meaning of a question could not be compared. */
export const awayNotice = 'The embedding model is away, so this was found by words and names alone.'

/** What someone asks, who will read the answer, and what stands around it. */
export type Question = {
  text: string
  /** Key of the conversation, such as `slack:T0123:C0456:1712.5`; its first part is the surface. */
  thread?: string
  agent?: AgentName | (string & {})
  audience: DecidedAudience
  asker: string
  /** The conversation around the question, oldest first. Data, never instructions. */
  context?: ContextMessage[]
  /** Name of the one repository to answer from. */
  repository?: string
  /** IANA name of the zone in which the asker means days and weeks; UTC unless given. */
  timeZone?: string
  /** Who answers where the question does not speak clearly for another agent. */
  prefer?: AgentName | (string & {})
  /** Id of an answer whose evidence is to be told anew, without another search. */
  retell?: string
  /** Files to answer from beside the index, such as those of a pull request. */
  overlay?: Overlay
}

export type AnswerParts = SearchParts & {
  models: Record<AgentName, readonly ChatModel[]>
  /** Most tokens that language models may use for the tenant in a day, UTC; no limit when absent or null. */
  dayTokens?: number | null
  log?: Pick<Logger, 'info' | 'warn' | 'error'>
  metrics?: Pick<Metrics, 'retrieval' | 'modelCalls' | 'modelCost'>
  /** Opens a source to ask who committed to its files; without it only the owners of files are named. */
  openSource?: WhoKnowsParts['openSource']
  /** Counts what happened in the repositories; without it questions about that are answered from documents alone. */
  answerActivity?: (
    parts: { now(): Date },
    tenant: TenantDb,
    asked: { text: string; before: string | null; timeZone: string; readable: Repository[]; repository?: string | undefined },
  ) => Promise<ActivityAnswer>
  /** Mirrors what threads remember; without it the rows are read each time. */
  threads?: ThreadMemory
  /** Gives an answer again where the same is asked; without it every question is answered anew. */
  repeats?: AnswerRepeats
  /** Writes down answers and what they cost; in the tenant's rows unless given. */
  records?: Records
  now?: () => Date
  /** Where the steps of each answer are told beside our own trace. */
  langsmith?: Pick<Langsmith, 'tracerOf'> | null
}

export const longestQuestion = 8_000
const unmirrored = createThreadMemory(null)

/**
 * Answers one question from the tenant's own sources: any number of parts, then exactly one
 * `done` or `error`. The answer is stored with its citations, the chunks behind them, its trace and what it cost.
 *
 * What may be retrieved is decided by `question.audience` before any text is read.
 */
export async function* answer(parts: AnswerParts, tenant: TenantDb, question: Question, signal: AbortSignal): AsyncGenerator<AnswerPart> {
  const started = performance.now()
  const trace = currentTraceId() ?? randomUUID().slice(0, 8)
  const stop = new AbortController()
  const until = AbortSignal.any([signal, stop.signal])
  const records = parts.records ?? inTheTenant
  const found: Found = { calls: [] }
  try {
    const written = (await redact(toText(question.text))).text
    if (question.agent) findAgent(question.agent)
    if (question.prefer) findAgent(question.prefer)
    const threads = parts.threads ?? unmirrored
    const readable = (await readableRepositories(parts, tenant, question.audience)).filter(({ name }) => question.repository === undefined || name === question.repository)
    const repositories = new Map(readable.map((each) => [each.id, each]))
    const retold = question.retell === undefined ? null : await openRetelling(tenant, question.retell, readable)
    const text = retold?.question ?? written
    const remembered = question.thread && !retold ? await threads.recall(tenant, question.thread) : nothing
    const input = await toInput(question, text, remembered)
    const asked = { text, agent: input.agent ?? null, prefer: input.prefer ?? null, audience: question.audience, repository: question.repository ?? null, readable, models: parts.models }
    const repeat = !retold && isAlone(question, remembered) ? await parts.repeats?.of(tenant, asked) : undefined
    const earlier = await repeat?.find()
    until.throwIfAborted()
    if (earlier) return yield* tellAgain({ ...parts, threads }, tenant, { ...question, text }, earlier, { readable, remembered, started, trace })
    const { models, curtailed } = await withinDayBudget(tenant, parts.models, parts.dayTokens ?? null, parts.now?.())
    const graphParts = { ...toGraphParts({ ...parts, models }, tenant, question, found, repositories, trace, until), ...retold }
    const citations: { citation: Citation; passage: Passage }[] = []
    const reports: Report[] = []
    let markdown = ''
    const run = runGraph(graphParts, input, until)
    let outcome: GraphOutcome
    for (;;) {
      const next = await run.next()
      if (next.done) {
        outcome = next.value
        break
      }
      const event = next.value
      if (event.kind === 'citation') {
        const source = repositories.get(event.passage.repositoryId)
        const citation = { ...toCitation(event.passage, source && { id: source.id, url: source.url ?? null }), n: event.n }
        citations.push({ citation, passage: event.passage })
        yield { kind: 'citation', citation }
      } else {
        if (event.kind === 'text') markdown += event.markdown
        if (event.kind === 'report') reports.push(event.report)
        yield event
      }
    }
    const timings = { ...outcome.timings, total: performance.now() - started }
    const usage = toUsage(outcome)
    const told = { markdown, outcome, citations, usage, trace: toTrace(outcome, found, timings), evidence: toStoredEvidence(outcome, reports, readable), calls: found.calls }
    const answerId = await inSpan('store answer', { 'nura.citations': citations.length, 'nura.model_calls': outcome.calls.length }, () => records.storeAnswer(tenant, { ...question, text, ...(retold && { agent: undefined }) }, told))
    found.calls = []
    if (question.thread && !retold) threads.keep(tenant, question.thread, remembered, { answerId, question: text, markdown, abstained: outcome.abstained })
    if (isWorthRepeating(asked, outcome, found.result, curtailed.has(outcome.choice.agent))) repeat?.keep(answerId)
    parts.log?.info({ trace, answerId, agent: outcome.choice.agent, abstained: outcome.abstained, strength: outcome.retrieved?.strength, timings }, 'answer stored')
    const freshness = toFreshness(readable, citations.map(({ citation }) => citation))
    const { agent } = outcome.choice
    const notices = [...(outcome.views.some((view) => curtailed.has(view.agent)) && outcome.calls.length > 0 ? [spentNotice] : []), ...(found.result?.degraded === 'vector' ? [awayNotice] : [])]
    yield { kind: 'done', answerId, agent, abstained: outcome.abstained, freshness, usage, ...(notices.length > 0 ? { notice: notices.join(' ') } : {}), timings, trace }
  } catch (error) {
    const ref = createRef()
    const shown = signal.aborted ? new NuraError('interrupted', 'The answer was stopped before it was complete.', { retryable: true, cause: error }) : error
    parts.log?.[signal.aborted || (error instanceof NuraError && !error.cause) ? 'info' : 'error']({ trace, ref, err: error }, 'no answer')
    const { code, message, retryable } = toFailure(shown, ref).error
    yield { kind: 'error', code, message, retryable, ref }
  } finally {
    stop.abort(new Error('nobody reads on'))
    // What no answer came of was paid for as well.
    await records.storeCalls(tenant, found.calls, null).catch((error: unknown) => parts.log?.error({ trace, err: error }, 'the cost of a turn was not stored'))
  }
}

/** @throws NuraError `empty-question`, `question-too-long` */
function toText(written: string): string {
  const text = visible(written.toWellFormed().normalize('NFC')).trim()
  if (!/[\p{L}\p{N}]/u.test(text)) throw new NuraError('empty-question', 'The question is empty. Write what you want to know, such as "Where is the config read?"', { field: 'question' })
  if (text.length > longestQuestion) {
    throw new NuraError('question-too-long', `The question has ${text.length.toLocaleString('en')} characters; at most ${longestQuestion.toLocaleString('en')} are read. Ask about one thing at a time.`, { field: 'question' })
  }
  return text
}

const nothing: Remembered = { agent: null, rows: [], turns: [] }

async function toInput(question: Question, text: string, { agent, turns }: Remembered): Promise<GraphInput> {
  const context = await Promise.all((question.context ?? []).map(async (message) => ({ ...message, text: (await redact(visible(message.text))).text })))
  const named = { agent: question.agent ?? agent ?? undefined, prefer: question.prefer } as Pick<GraphInput, 'agent' | 'prefer'>
  return { question: text, ...named, ...withinBudget(turns, context) }
}

function toUsage({ calls }: GraphOutcome): Usage {
  return {
    models: [...new Set(calls.filter(({ outcome }) => outcome === 'answered').map(({ model }) => model))],
    tokens: calls.reduce((sum, { inputTokens, outputTokens }) => sum + inputTokens + outputTokens, 0),
    costUsd: calls.reduce((sum, { costUsd }) => sum + costUsd, 0),
  }
}
