import { LRUCache } from 'lru-cache'

const mostConversations = 2_000
const mostMessages = 100

/** Counts what goes by in conversations, by ids alone: nothing of what was said is kept. */
export type Passed = {
  note(conversation: string, id: string): void
  /** Messages that this process saw there after `id`; 0 where it did not see that one, or not lately. */
  since(conversation: string, id: string): number
}

export function createPassed(): Passed {
  const seen = new LRUCache<string, string[]>({ max: mostConversations })
  return {
    note(conversation, id) {
      const ids = seen.get(conversation) ?? []
      // Teams tells a message again when it was not sure, and that is no further message.
      if (!ids.includes(id)) seen.set(conversation, [...ids, id].slice(-mostMessages))
    },
    since(conversation, id) {
      const ids = seen.get(conversation) ?? []
      return ids.includes(id) ? ids.length - 1 - ids.indexOf(id) : 0
    },
  }
}
