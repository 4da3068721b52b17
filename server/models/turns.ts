import type { ChatMessage } from './chat-model.ts'

/** A conversation as strict providers take it: the user begins, roles alternate, and nothing is blank. */
export function toTurns(messages: readonly ChatMessage[]): ChatMessage[] {
  const turns: ChatMessage[] = []
  for (const { role, content } of messages) {
    const last = turns.at(-1)
    if (content.trim() === '' || (!last && role === 'assistant')) continue
    if (last?.role === role) last.content += `\n\n${content}`
    else turns.push({ role, content })
  }
  return turns
}
