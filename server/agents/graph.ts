import { Annotation, END, START, StateGraph } from '@langchain/langgraph'
import type { LangGraphRunnableConfig } from '@langchain/langgraph'
import { streamChain } from '../models/chain.ts'
import type { ModelCall } from '../models/chain.ts'
import type { ChatModel } from '../models/chat-model.ts'
import { createCitationFilter } from '../retrieval/check-citations.ts'
import type { Passage } from '../retrieval/passage.ts'
import { keepTrace } from '../tracing/traceparent.ts'
import { choose, withoutWish } from './choose.ts'
import type { Choice } from './choose.ts'
import type { Evidence } from './evidence.ts'
import { findAgent } from './index.ts'
import type { AgentName } from './index.ts'
import { createSilentTracer } from './langsmith/graph-tracer.ts'
import type { GraphTracer } from './langsmith/graph-tracer.ts'
import { createUncitedMarker } from './mark-uncited.ts'
import { resolveFollowUp } from './memory.ts'
import type { ContextMessage, Turn } from './memory.ts'
import { writeNotFound } from './not-found.ts'
import { toChatRequest } from './prompt.ts'
import { createRenumbering } from './renumber.ts'
import { traced } from './traced.ts'

/** A repository that the audience may be answered from. */
export type SearchedRepository = { id: string; name: string; indexedAt: Date | null }

export type Retrieved = { evidence: Evidence; /** How well the evidence answers, 0 to 1. */ strength: number; trace: unknown; timings: Record<string, number> }

/** What the graph needs of the world. All of it closes over tenant and audience: nothing that the graph does can widen them. */
export type GraphParts = {
  models: Record<AgentName, readonly ChatModel[]>
  repositories(): Promise<SearchedRepository[]>
  retrieve(question: string, agent: AgentName): Promise<Retrieved>
  /** Hears of every call of a model when it has ended, also where the turn fails then. */
  onCall?(agent: AgentName, call: ModelCall): void
  /** One line that names who may know what was not found; null when nobody is known. */
  whoKnows?(nearest: Passage[]): Promise<string | null>
  /** Below this strength the answer is that nothing was found. */
  leastStrength: number
  now(): Date
  /** Hears of the run's steps; nobody does without it. */
  tracer?: GraphTracer
}

export type GraphInput = { question: string; agent?: AgentName; turns: Turn[]; context: ContextMessage[] }

/** What can be shown at once. A citation comes before the first text that cites it; `n` is its number in the text. */
export type GraphEvent = { kind: 'status'; text: string } | { kind: 'text'; markdown: string } | { kind: 'citation'; n: number; passage: Passage }

export type GraphOutcome = {
  choice: Choice
  /** The question as it was searched for, and what a follow-up took over from the turn before. */
  resolved: { question: string; carried: string | null }
  retrieved: Retrieved | null
  repositories: SearchedRepository[]
  abstained: boolean
  calls: ModelCall[]
  /** What the check took out or could not place. */
  check: { unknown: number[]; removed: number; uncited: number }
  timings: Record<string, number>
}

const State = Annotation.Root({
  input: Annotation<GraphInput>,
  choice: Annotation<Choice>,
  resolved: Annotation<GraphOutcome['resolved']>,
  repositories: Annotation<SearchedRepository[]>,
  retrieved: Annotation<Retrieved | null>,
  abstained: Annotation<boolean>,
  shown: Annotation<{ length: number; cited: number }>,
  calls: Annotation<ModelCall[]>,
  checked: Annotation<GraphOutcome['check']>,
  timings: Annotation<Record<string, number>>({ reducer: (all, more) => ({ ...all, ...more }), default: () => ({}) }),
})
type GraphState = typeof State.State

let compiled: ReturnType<typeof build> | undefined

/** choose → retrieve → answer → check. No checkpointer: a turn is short, and what it remembers is in our own rows. */
function build() {
  return new StateGraph(State)
    .addNode('choose', traced('choose', chooseAgent, ({ choice }) => ({ 'nura.agent': choice?.agent })))
    .addNode('retrieve', traced('retrieve', retrieve, ({ repositories, retrieved }) => ({ 'nura.repositories': repositories?.length, 'nura.passages': retrieved?.evidence.passages.length, 'nura.strength': retrieved?.strength })))
    .addNode('answer', traced('answer', write, ({ abstained, calls, shown }) => ({ 'nura.abstained': abstained, 'nura.model_calls': calls?.length, 'nura.citations': shown?.cited })))
    .addNode('check', traced('check', check, ({ abstained }) => ({ 'nura.abstained': abstained })))
    .addEdge(START, 'choose')
    .addEdge('choose', 'retrieve')
    .addEdge('retrieve', 'answer')
    .addEdge('answer', 'check')
    .addEdge('check', END)
    .compile()
}

/** Runs one turn: events as they come, then the outcome as the return value. */
export async function* runGraph(parts: GraphParts, input: GraphInput, signal: AbortSignal): AsyncGenerator<GraphEvent, GraphOutcome> {
  compiled ??= build()
  const tracer = parts.tracer ?? createSilentTracer()
  let last: GraphState | undefined
  const stream = await compiled.stream({ input }, { configurable: { parts, tracer, keep: keepTrace() }, callbacks: [tracer.handler], runName: 'answer question', signal, streamMode: ['custom', 'values'] })
  for await (const [mode, chunk] of stream) {
    if (mode === 'custom') yield chunk as GraphEvent
    else last = chunk as GraphState
  }
  signal.throwIfAborted()
  const { choice, resolved, retrieved, repositories, abstained, calls, checked, timings } = last!
  return { choice, resolved, retrieved, repositories, abstained, calls, check: checked, timings }
}

function chooseAgent({ input }: GraphState) {
  const started = performance.now()
  const resolved = resolveFollowUp(withoutWish(input.question), input.turns)
  return { choice: choose(input.question, input.agent), resolved, timings: { choose: performance.now() - started } }
}

async function retrieve({ resolved, choice }: GraphState, config: LangGraphRunnableConfig) {
  const started = performance.now()
  const { parts, emit } = open(config)
  const repositories = await parts.repositories()
  if (repositories.length === 0) return { repositories, retrieved: null, timings: { retrieve: performance.now() - started } }
  emit({ kind: 'status', text: `Searching ${named(repositories)}` })
  const retrieved = await parts.retrieve(resolved.question, choice.agent)
  const files = new Set(retrieved.evidence.passages.map(({ repositoryId, path }) => `${repositoryId} ${path}`)).size
  if (files > 0) emit({ kind: 'status', text: `Reading ${files} ${files === 1 ? 'file' : 'files'}` })
  return { repositories, retrieved, timings: { retrieve: performance.now() - started } }
}

/** What an answer of 2,200 characters takes, with room for a model that spells more than it is asked to. */
const maxOutputTokens = 1_200

/** Streams the model through the checks, whole sentences at a time, so that nothing is shown that has to be taken back. */
async function write({ input, choice, repositories, retrieved }: GraphState, config: LangGraphRunnableConfig) {
  const started = performance.now()
  const { parts, emit, signal } = open(config)
  const evidence = retrieved?.evidence ?? { question: input.question, passages: [], symbols: [], relations: [] }
  const abstained = !retrieved || evidence.passages.length === 0 || retrieved.strength < parts.leastStrength
  let outlet = createOutlet(evidence, emit, abstained)
  const calls: ModelCall[] = []
  if (abstained) {
    outlet.push(await tellNotFound(parts, evidence, repositories))
  } else {
    const agent = findAgent(choice.agent)
    const models = parts.models[choice.agent]
    let written = ''
    const { turns, context } = input
    const onCall = (call: ModelCall) => {
      calls.push(call)
      parts.onCall?.(choice.agent, call)
      const tracer = config.configurable!.tracer as GraphTracer
      tracer.record(config, call, written)
    }
    const toRequest = ({ limits }: ChatModel) => toChatRequest({ agent, evidence, turns, context, maxOutputTokens: Math.min(maxOutputTokens, limits.outputTokens), maxInputTokens: limits.inputTokens })
    for await (const event of streamChain(models, toRequest, { signal, onCall, hasShown: () => outlet.hasShown() })) {
      if (event.kind === 'text') {
        written += event.text
        outlet.push(event.text)
      }
      if (event.kind === 'restart') {
        written = ''
        outlet = createOutlet(evidence, emit, abstained)
      }
    }
  }
  const { length, cited, check } = outlet.end()
  return { abstained, calls, shown: { length, cited }, checked: check, timings: { answer: performance.now() - started } }
}

/** Nothing may end in silence: a model that wrote nothing counts as one that found nothing. */
async function check({ input, abstained, shown, repositories, retrieved }: GraphState, config: LangGraphRunnableConfig) {
  const { parts, emit } = open(config)
  if (shown.length > 0) return { abstained: abstained || shown.cited === 0 }
  const evidence = retrieved?.evidence ?? { question: input.question, passages: [], symbols: [], relations: [] }
  const outlet = createOutlet(evidence, emit, true)
  outlet.push(await tellNotFound(parts, evidence, repositories))
  outlet.end()
  return { abstained: true }
}

async function tellNotFound(parts: GraphParts, evidence: Evidence, repositories: SearchedRepository[]): Promise<string> {
  const known = await parts.whoKnows?.(evidence.passages)
  return [writeNotFound(evidence, repositories, parts.now()), ...(known ? [known] : [])].join('\n\n')
}

/**
 * Text on its way out: held to its citations, marked where a model cites nothing, renumbered in the order of first mention.
 * @param isOurs true for text that code wrote, which may speak of the search itself.
 */
function createOutlet(evidence: Evidence, emit: (event: GraphEvent) => void, isOurs: boolean) {
  const filter = createCitationFilter(evidence)
  const marker = isOurs ? undefined : createUncitedMarker()
  const renumbering = createRenumbering()
  const passages = new Map(evidence.passages.map((passage) => [passage.n, passage]))
  const mark = (piece: string) => marker?.push(piece) ?? piece
  let length = 0
  const show = (piece: string) => {
    if (piece === '') return
    const { text, first } = renumbering.push(piece)
    for (const { n, passage } of first) emit({ kind: 'citation', n, passage: passages.get(passage)! })
    length += text.trim().length
    emit({ kind: 'text', markdown: text })
  }
  return {
    hasShown: () => length > 0 || renumbering.numbers.size > 0,
    push: (text: string) => show(mark(filter.push(text))),
    end() {
      show(mark(filter.end()))
      show(marker?.end() ?? '')
      const { unknown, removed } = filter.checked()
      return { length, cited: renumbering.numbers.size, check: { unknown, removed, uncited: marker?.marked() ?? 0 } }
    },
  }
}

function open(config: LangGraphRunnableConfig): { parts: GraphParts; emit(event: GraphEvent): void; signal: AbortSignal } {
  return { parts: config.configurable!.parts as GraphParts, emit: (event) => config.writer?.(event), signal: config.signal ?? new AbortController().signal }
}

function named(repositories: SearchedRepository[]): string {
  const names = repositories.map(({ name }) => name)
  return names.length <= 2 ? names.join(' and ') : `${names[0]} and ${names.length - 1} more`
}
