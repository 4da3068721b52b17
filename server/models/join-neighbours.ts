import type { ChatMessage } from './chat-model.ts'

/**
 * The same conversation for a provider whose turns must alternate and begin with the user: neighbours of one role become one
 * message, and answers before any question are left out.
 */
export function joinNeighbours(messages: readonly ChatMessage[]): ChatMessage[] {
  const joined: ChatMessage[] = []
  const first = messages.findIndex(({ role }) => role === 'user')
  for (const { role, content } of first < 0 ? [] : messages.slice(first)) {
    const last = joined.at(-1)
    if (last?.role === role) last.content += `\n\n${content}`
    else joined.push({ role, content })
  }
  return joined
}
