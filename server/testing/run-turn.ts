import type { GraphEvent } from '../agents/graph-event.ts'
import type { GraphInput, GraphOutcome, GraphParts } from '../agents/graph-state.ts'
import { runGraph } from '../agents/graph.ts'
import { createExtractive } from '../models/extractive.ts'
import type { ChatModel, ChatRequest } from '../models/chat-model.ts'
import { webhookEvidence } from './evidence.ts'

const now = new Date('2026-01-01T12:00:00Z')
const never = new AbortController().signal

/** A graph's world: one repository, whose webhooks are the evidence of every question. */
export function toParts(more: Partial<GraphParts> = {}, model: ChatModel = createExtractive()): GraphParts {
  return {
    models: { dev: [model], pm: [model], architect: [model] },
    repositories: async () => [{ id: 'repository-1', name: 'acme/shop', indexedAt: new Date('2026-01-01T11:56:00Z') }],
    retrieve: async (question) => ({ evidence: webhookEvidence(question), strength: 1, trace: null, timings: {} }),
    leastStrength: 0.5,
    now: () => now,
    ...more,
  }
}

/** A language model that says the pieces it is given. */
export function speaks(...pieces: string[]): ChatModel & { asked: ChatRequest[] } {
  const asked: ChatRequest[] = []
  return {
    id: 'scripted:1', asked, limits: { inputTokens: 1_000, outputTokens: 1_000 }, price: { input: 0, output: 0 },
    async *stream(request) {
      asked.push(request)
      for (const text of pieces) yield { kind: 'text', text }
      yield { kind: 'usage', inputTokens: 1, outputTokens: 1 }
    },
  }
}

/** Runs one turn to its end. */
export async function runTurn(parts: GraphParts, input: Partial<GraphInput> = {}, signal = never) {
  const events: GraphEvent[] = []
  const turn = runGraph(parts, { question: 'Where do we verify webhook signatures?', turns: [], context: [], ...input }, signal)
  for (;;) {
    const next = await turn.next()
    if (next.done) return { events, outcome: next.value as GraphOutcome, text: events.map((event) => (event.kind === 'text' ? event.markdown : '')).join('') }
    events.push(next.value)
  }
}
