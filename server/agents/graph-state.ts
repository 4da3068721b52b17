import { Annotation } from '@langchain/langgraph'
import type { LangGraphRunnableConfig } from '@langchain/langgraph'
import type { ActivityAnswer, ActivitySection } from '../activity/activity-answer.ts'
import type { ModelCall } from '../models/chain.ts'
import type { ChatModel } from '../models/chat-model.ts'
import type { Passage } from '../retrieval/passage.ts'
import type { Choice } from './choose.ts'
import type { Evidence } from './evidence.ts'
import type { GraphEvent } from './graph-event.ts'
import type { AgentName } from './index.ts'
import type { GraphTracer } from './langsmith/graph-tracer.ts'
import type { ContextMessage, Turn } from './memory.ts'
import type { Shown } from './outlet.ts'
import type { View } from './plan-views.ts'
import type { Renumbering } from './renumber.ts'

/** A repository that the audience may be answered from. */
export type SearchedRepository = { id: string; name: string; indexedAt: Date | null }

export type Retrieved = { evidence: Evidence; /** How well the evidence answers, 0 to 1. */ strength: number; trace: unknown; timings: Record<string, number> }

/** What the graph needs of the world. All of it closes over tenant and audience: nothing that the graph does can widen them. */
export type GraphParts = {
  models: Record<AgentName, readonly ChatModel[]>
  repositories(): Promise<SearchedRepository[]>
  retrieve(question: string, agent: AgentName): Promise<Retrieved>
  /**
   * What the work in the repositories says to a question; null where it is about something else. Nobody counts without it.
   * @param before what was asked before it in the thread, which it may go on from
   */
  activity?(question: string, before: string | null): Promise<ActivityAnswer>
  /** When the files of passages last changed, by passage number, as far as their sources tell. */
  changedAt?(passages: Passage[]): Promise<ReadonlyMap<number, Date>>
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

/** `agent` is who was asked for; `prefer` is who answers where the question does not speak clearly for another. */
export type GraphInput = { question: string; agent?: AgentName; prefer?: AgentName; turns: Turn[]; context: ContextMessage[] }

/** What was found for one view. */
export type FoundView = View & { retrieved: Retrieved | null; activity: { sections: ActivitySection[] } | null; /** What cannot be read in the question, and how to ask instead. */ unclear: string | null }

export type GraphOutcome = {
  choice: Choice
  /** The question as it was searched for, and what a follow-up took over from the turn before. */
  resolved: { question: string; carried: string | null }
  /** The agents that answered, each its part; one for most questions. */
  views: View[]
  /** All that was retrieved for any of them. */
  retrieved: Retrieved | null
  /** What was counted for any of them. */
  sections: ActivitySection[]
  repositories: SearchedRepository[]
  abstained: boolean
  calls: ModelCall[]
  /** What the check took out or could not place. */
  check: Shown['check']
  timings: Record<string, number>
}

/** What a written view adds to the answer. */
export type Written = Shown & { abstained: boolean }

export const State = Annotation.Root({
  input: Annotation<GraphInput>,
  started: Annotation<number>,
  choice: Annotation<Choice>,
  resolved: Annotation<GraphOutcome['resolved']>,
  views: Annotation<View[]>,
  repositories: Annotation<SearchedRepository[]>,
  found: Annotation<FoundView[]>,
  numbering: Annotation<Renumbering>,
  written: Annotation<Written[]>({ reducer: (all, more) => [...all, ...more], default: () => [] }),
  abstained: Annotation<boolean>,
  calls: Annotation<ModelCall[]>({ reducer: (all, more) => [...all, ...more], default: () => [] }),
  timings: Annotation<Record<string, number>>({
    reducer: (all, more) => Object.entries(more).reduce((sums, [phase, ms]) => ({ ...sums, [phase]: (sums[phase] ?? 0) + ms }), all),
    default: () => ({}),
  }),
})
export type GraphState = typeof State.State

/** What a node is given beside the state. */
export function openRun(config: LangGraphRunnableConfig): { parts: GraphParts; tracer: GraphTracer; emit(event: GraphEvent): void; signal: AbortSignal } {
  const { parts, tracer } = config.configurable as { parts: GraphParts; tracer: GraphTracer }
  return { parts, tracer, emit: (event) => config.writer?.(event), signal: config.signal ?? new AbortController().signal }
}
