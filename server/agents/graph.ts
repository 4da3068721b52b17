import { END, START, StateGraph } from '@langchain/langgraph'
import type { LangGraphRunnableConfig } from '@langchain/langgraph'
import { keepTrace } from '../tracing/traceparent.ts'
import { choose, withoutWish } from './choose.ts'
import type { GraphEvent } from './graph-event.ts'
import { openRun, State } from './graph-state.ts'
import type { GraphInput, GraphOutcome, GraphParts, GraphState } from './graph-state.ts'
import { findAgent } from './index.ts'
import { createSilentTracer } from './langsmith/graph-tracer.ts'
import { resolveFollowUp } from './memory.ts'
import { createOutlet } from './outlet.ts'
import { planViews } from './plan-views.ts'
import type { View } from './plan-views.ts'
import { createRenumbering } from './renumber.ts'
import { mergeRetrieved, retrieveViews } from './retrieve-views.ts'
import { toStep } from './steps.ts'
import { tellNotFound } from './tell-not-found.ts'
import { traced } from './traced.ts'
import { writeView } from './write-view.ts'

let compiled: ReturnType<typeof build> | undefined

/**
 * choose → retrieve → answer, once for each view → check. No checkpointer: a turn is short, and what it remembers is in our own
 * rows.
 */
function build() {
  return new StateGraph(State)
    .addNode('choose', traced('choose', chooseAgents, ({ choice, views }) => ({ 'nura.agent': choice?.agent, 'nura.views': views?.length })))
    .addNode('retrieve', traced('retrieve', retrieveViews, ({ repositories, found }) => {
      const retrieved = mergeRetrieved(found ?? [])
      return { 'nura.repositories': repositories?.length, 'nura.passages': retrieved?.evidence.passages.length, 'nura.strength': retrieved?.strength }
    }))
    .addNode('answer', traced('answer', writeView, ({ written, calls }) => ({ 'nura.abstained': written?.at(-1)?.abstained, 'nura.model_calls': calls?.length, 'nura.citations': written?.at(-1)?.cited })))
    .addNode('check', traced('check', check, ({ abstained }) => ({ 'nura.abstained': abstained })))
    .addEdge(START, 'choose')
    .addEdge('choose', 'retrieve')
    .addEdge('retrieve', 'answer')
    .addConditionalEdges('answer', ({ written, found }) => (written.length < found.length ? 'answer' : 'check'), ['answer', 'check'])
    .addEdge('check', END)
    .compile()
}

/** Runs one turn: events as they come, then the outcome as the return value. */
export async function* runGraph(parts: GraphParts, input: GraphInput, signal: AbortSignal): AsyncGenerator<GraphEvent, GraphOutcome> {
  compiled ??= build()
  const tracer = parts.tracer ?? createSilentTracer()
  let last: GraphState | undefined
  const start = { input, started: performance.now(), numbering: createRenumbering() }
  const stream = await compiled.stream(start, { configurable: { parts, tracer, keep: keepTrace() }, callbacks: [tracer.handler], runName: 'answer question', signal, streamMode: ['custom', 'values'] })
  for await (const [mode, chunk] of stream) {
    if (mode === 'custom') yield chunk as GraphEvent
    else last = chunk as GraphState
  }
  signal.throwIfAborted()
  const { choice, resolved, found, repositories, abstained, written, calls, timings } = last!
  const views = found.map(({ agent, question }) => ({ agent, question }))
  const sections = found.flatMap(({ activity }) => activity?.sections ?? [])
  // Whoever answered what was counted answered for who counts.
  return { choice: { ...choice, agent: views[0]!.agent }, resolved, views, retrieved: mergeRetrieved(found), sections, repositories, abstained, calls, check: sumChecks(written.map((each) => each.check)), timings }
}

/** One agent for most questions; several where each has a part of the question and nobody was asked for. */
function chooseAgents({ input }: GraphState, config: LangGraphRunnableConfig) {
  const started = performance.now()
  const resolved = resolveFollowUp(withoutWish(input.question), input.turns)
  const choice = choose(input.question, input.agent, input.prefer)
  const planned = choice.isWish ? [] : planViews(resolved.question)
  const views: View[] = planned.length > 0 ? planned : [{ agent: choice.agent, question: resolved.question }]
  if (views.length > 1) for (const [at, view] of views.entries()) openRun(config).emit({ kind: 'step', step: toStep(view, at, 'pending') })
  const reason = planned.length > 0 ? `it asks for ${planned.map(({ agent }) => findAgent(agent).title).join(' and ')}` : choice.reason
  return { choice: { ...choice, agent: views[0]!.agent, reason }, resolved, views, timings: { choose: performance.now() - started } }
}

/** Nothing may end in silence: a model that wrote nothing counts as one that found nothing. */
async function check({ input, found, written, numbering, repositories }: GraphState, config: LangGraphRunnableConfig) {
  const { parts, emit } = openRun(config)
  const abstained = written.every((each) => each.abstained)
  if (written.some(({ length }) => length > 0)) return { abstained }
  const evidence = mergeRetrieved(found)?.evidence ?? { question: input.question, passages: [], symbols: [], relations: [] }
  const outlet = createOutlet(evidence, emit, { isOurs: true, numbering })
  outlet.push(await tellNotFound(parts, evidence, repositories))
  outlet.end()
  return { abstained: true }
}

function sumChecks(checks: GraphOutcome['check'][]): GraphOutcome['check'] {
  return { unknown: checks.flatMap(({ unknown }) => unknown), removed: sum(checks.map(({ removed }) => removed)), uncited: sum(checks.map(({ uncited }) => uncited)) }
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
