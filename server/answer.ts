import { randomUUID } from 'node:crypto'
import type { TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { findAgent } from './agents/index.ts'
import type { AgentName } from './agents/index.ts'
import { gather } from './agents/gather.ts'
import { runGraph } from './agents/graph.ts'
import type { GraphInput, GraphOutcome, GraphParts } from './agents/graph.ts'
import type { Langsmith } from './agents/langsmith/open-langsmith.ts'
import { withinBudget } from './agents/memory.ts'
import type { ContextMessage } from './agents/memory.ts'
import { toSearchText } from './agents/search-text.ts'
import { findWhoKnows, writeWhoKnows } from './agents/who-knows.ts'
import type { WhoKnowsParts } from './agents/who-knows.ts'
import type { AnswerPart, Citation, Usage } from './answer-part.ts'
import { isWorthRepeating } from './answer-repeats.ts'
import type { AnswerRepeats } from './answer-repeats.ts'
import { spentNotice, withinDayBudget } from './day-budget.ts'
import { createRef, toFailure } from './errors.ts'
import { toFreshness } from './freshness.ts'
import { placeholders, redact } from './indexing/redact.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { ChatModel } from './models/chat-model.ts'
import { visible } from './models/extractive/prose.ts'
import { observeCall } from './observe-call.ts'
import type { DecidedAudience } from './retrieval/audience.ts'
import { toCitation } from './retrieval/cite.ts'
import { enough } from './retrieval/evidence-strength.ts'
import type { Overlay } from './retrieval/overlay.ts'
import type { Passage } from './retrieval/passage.ts'
import { readableRepositories } from './retrieval/readable-repositories.ts'
import { search } from './retrieval/search.ts'
import type { SearchParts } from './retrieval/search.ts'
import { storeAnswer, storeCalls, surfaceOf, toTrace } from './store-answer.ts'
import type { Found } from './store-answer.ts'
import { isAlone, tellAgain } from './tell-again.ts'
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
  /** Mirrors what threads remember; without it the rows are read each time. */
  threads?: ThreadMemory
  /** Gives an answer again where the same is asked; without it every question is answered anew. */
  repeats?: AnswerRepeats
  now?: () => Date
  /** Where the steps of each answer are told beside our own trace. */
  langsmith?: Pick<Langsmith, 'tracerOf'> | null
}

export const longestQuestion = 8_000
const unmirrored = createThreadMemory(null)

/**
 * Answers one question from the tenant's own sources: any number of `status`, `text` and `citation` parts, then exactly one
 * `done` or `error`. The answer is stored with its citations, the chunks behind them, its trace and what it cost.
 *
 * What may be retrieved is decided by `question.audience` before any text is read.
 */
export async function* answer(parts: AnswerParts, tenant: TenantDb, question: Question, signal: AbortSignal): AsyncGenerator<AnswerPart> {
  const started = performance.now()
  const trace = currentTraceId() ?? randomUUID().slice(0, 8)
  const stop = new AbortController()
  const until = AbortSignal.any([signal, stop.signal])
  const found: Found = { calls: [] }
  try {
    const text = (await redact(toText(question.text))).text
    if (question.agent) findAgent(question.agent)
    const threads = parts.threads ?? unmirrored
    const remembered = question.thread ? await threads.recall(tenant, question.thread) : nothing
    const input = await toInput(question, text, remembered)
    const readable = (await readableRepositories(parts, tenant, question.audience)).filter(({ name }) => question.repository === undefined || name === question.repository)
    const repositories = new Map(readable.map((each) => [each.id, each]))
    const asked = { text, agent: input.agent ?? null, audience: question.audience, repository: question.repository ?? null, readable, models: parts.models }
    const repeat = isAlone(question, remembered) ? await parts.repeats?.of(tenant, asked) : undefined
    const earlier = await repeat?.find()
    until.throwIfAborted()
    if (earlier) return yield* tellAgain({ ...parts, threads }, tenant, { ...question, text }, earlier, { readable, remembered, started, trace })
    const { models, curtailed } = await withinDayBudget(tenant, parts.models, parts.dayTokens ?? null, parts.now?.())
    const graphParts = toGraphParts({ ...parts, models }, tenant, question, found, repositories, trace, until)
    const citations: { citation: Citation; passage: Passage }[] = []
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
        yield event
      }
    }
    const timings = { ...outcome.timings, total: performance.now() - started }
    const usage = toUsage(outcome)
    const told = { markdown, outcome, citations, usage, trace: toTrace(outcome, found, timings) }
    const answerId = await inSpan('store answer', { 'nura.citations': citations.length, 'nura.model_calls': outcome.calls.length }, () => storeAnswer(tenant, { ...question, text }, told))
    found.calls = []
    if (question.thread) threads.keep(tenant, question.thread, remembered, { answerId, question: text, markdown, abstained: outcome.abstained })
    if (isWorthRepeating(asked, outcome, found.result, curtailed.has(outcome.choice.agent))) repeat?.keep(answerId)
    parts.log?.info({ trace, answerId, agent: outcome.choice.agent, abstained: outcome.abstained, strength: outcome.retrieved?.strength, timings }, 'answer stored')
    const freshness = toFreshness(readable, citations.map(({ citation }) => citation))
    const { agent } = outcome.choice
    const notices = [...(curtailed.has(agent) && outcome.calls.length > 0 ? [spentNotice] : []), ...(found.result?.degraded === 'vector' ? [awayNotice] : [])]
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
    for (const [agent, calls] of Map.groupBy(found.calls, (call) => call.agent)) {
      await storeCalls(tenant, agent, calls.map(({ call }) => call), null).catch((error: unknown) => parts.log?.error({ trace, err: error }, 'the cost of a turn was not stored'))
    }
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
  return { question: text, agent: (question.agent ?? agent ?? undefined) as AgentName | undefined, ...withinBudget(turns, context) }
}

function toGraphParts(
  parts: AnswerParts,
  tenant: TenantDb,
  { audience, repository, overlay, thread }: Question,
  found: Found,
  repositories: ReadonlyMap<string, Repository>,
  trace: string,
  signal: AbortSignal,
): GraphParts {
  const now = parts.now ?? (() => new Date())
  return {
    models: parts.models,
    leastStrength: enough,
    tracer: parts.langsmith?.tracerOf(tenant),
    now,
    onCall(agent, call) {
      found.calls.push({ agent, call })
      observeCall(parts, agent, call, trace)
    },
    async whoKnows(nearest) {
      found.whoKnows = await findWhoKnows({ openSource: parts.openSource, now }, tenant, nearest, repositories, signal)
      return found.whoKnows && writeWhoKnows(found.whoKnows, now(), { mayCall: surfaceOf(thread) === 'github' })
    },
    repositories: async () => [...repositories.values()].map(({ id, name, indexedAt }) => ({ id, name, indexedAt: indexedAt ?? null })),
    async retrieve(asked, agentName) {
      const agent = findAgent(agentName)
      // What stands for a secret is no word of the question.
      const question = asked.replace(placeholders, ' ')
      const { text, isGeneral } = toSearchText(question, [...repositories.values()].map(({ name }) => name))
      const result = await search(parts, tenant, { question: text, audience, repository, overlay, profile: agent.profile, signal })
      found.result = result
      for (const [leg, ms] of Object.entries(result.timings)) parts.metrics?.retrieval.observe({ leg }, ms / 1000)
      const ids = result.repositories.map(({ id }) => id)
      const gatherStarted = performance.now()
      const evidence = await gather(tenant, { question, isGeneral }, result.passages, ids, agent.lens, result.overlay)
      const isNamed = evidence.symbols.some(({ name }) => result.query.names.includes(name.toLowerCase()))
      const strength = evidence.passages.length > 0 && (isGeneral || isNamed) ? 1 : result.strength.value
      return { evidence, strength, trace: result.trace, timings: { ...result.timings, gather: performance.now() - gatherStarted } }
    },
  }
}

function toUsage({ calls }: GraphOutcome): Usage {
  return {
    models: [...new Set(calls.filter(({ outcome }) => outcome === 'answered').map(({ model }) => model))],
    tokens: calls.reduce((sum, { inputTokens, outputTokens }) => sum + inputTokens + outputTokens, 0),
    costUsd: calls.reduce((sum, { costUsd }) => sum + costUsd, 0),
  }
}
