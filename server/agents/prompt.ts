import { randomBytes } from 'node:crypto'
import type { ChatMessage, ChatRequest } from '../models/chat-model.ts'
import type { Passage } from '../retrieval/passage.ts'
import { toVisibleText } from '../visible-text.ts'
import type { Agent } from './agent.ts'
import type { Evidence } from './evidence.ts'
import type { ContextMessage, Turn } from './memory.ts'
import { rules } from './prompts/rules.ts'

/** What goes into the trace: which words asked. */
export function promptVersion(agent: Agent): string {
  return `rules-${rules.version}/${agent.name}-${agent.prompt.version}`
}

/** Fewest characters of a token of code: what is counted so is never longer for the model than it was taken for. */
const charactersAToken = 3

/**
 * A request to a chat model, whose passages are the first that its window holds. Only our own words are in the system text; what people and sources wrote is in messages, and
 * what was retrieved stands between two lines that carry a random word, so that no text can close its own fence.
 */
export function toChatRequest(request: {
  agent: Agent
  evidence: Evidence
  turns: Turn[]
  context: ContextMessage[]
  maxOutputTokens: number
  /** Of the smallest model that may be asked; no limit when absent. */
  maxInputTokens?: number
}): ChatRequest {
  const { agent, evidence, turns, context, maxOutputTokens, maxInputTokens = Infinity } = request
  const fence = randomBytes(9).toString('base64url')
  const history: ChatMessage[] = turns.flatMap(({ question, markdown }) => [
    { role: 'user' as const, content: question },
    { role: 'assistant' as const, content: markdown.replace(/\s?\[\d{1,4}\]/g, '') },
  ])
  const system = `${rules.text}\n\n${agent.prompt.text}`
  const said = context.map(({ author, text, trusted }) => `${author}${trusted ? '' : ' (from outside)'}: ${text}`).join('\n')
  const asked = `Question: ${evidence.question}`
  const taken = [system, said, asked, ...history.map(({ content }) => content)].reduce((sum, { length }) => sum + length, 0)
  const passages = firstWithin(evidence.passages.map(toText), maxInputTokens * charactersAToken - taken)
  const parts = [...(said === '' ? [] : [fenced(fence, 'conversation', said)]), fenced(fence, 'passages', passages.join('\n\n')), asked]
  return { agent: agent.name, system, messages: [...history, { role: 'user', content: parts.join('\n\n') }], evidence, maxOutputTokens }
}

function toText({ n, repository, path, startLine, endLine, content }: Passage): string {
  return `[${n}] ${repository} ${path} lines ${startLine}-${endLine}\n${content}`
}

/** The best one always, and those after it while there is room. */
function firstWithin(texts: string[], room: number): string[] {
  let length = 0
  const end = texts.findIndex((text, at) => (length += text.length + 2) > room && at > 0)
  return end < 0 ? texts : texts.slice(0, end)
}

function fenced(fence: string, name: string, text: string): string {
  return `BEGIN ${name} ${fence}\n${toVisibleText(text).replaceAll(fence, '')}\nEND ${name} ${fence}`
}
