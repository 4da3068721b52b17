import type { Evidence } from '../agents/evidence.ts'

export type ChatMessage = { role: 'user' | 'assistant'; content: string }

/** What a chat model is asked. A language model reads `system` and `messages`; the extractive model reads `evidence`. */
export type ChatRequest = {
  agent: string
  system: string
  messages: ChatMessage[]
  evidence: Evidence
  maxOutputTokens: number
}

export type ChatEvent =
  /** A piece of Markdown that cites passages as `[n]`. */
  | { kind: 'text'; text: string }
  /** Once, last. */
  | { kind: 'usage'; inputTokens: number; outputTokens: number }

/** One model of one provider. An abort signal ends the stream with the signal's reason. */
export type ChatModel = {
  /** `provider:model`, such as `extractive:default`. */
  readonly id: string
  readonly limits: { inputTokens: number; outputTokens: number }
  /** US dollars for a million tokens. */
  readonly price: { input: number; output: number }
  /** False when its whole answer comes at once, in one piece of text. */
  readonly streams?: false
  stream(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent>
}
