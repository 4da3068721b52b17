import { LRUCache } from 'lru-cache'

/**
 * Who was told to wait, and until when. A limit is said once: more of it would be a flood of answers to a flood of questions.
 * What is asked meanwhile ends without a word, for the one that was said holds for it too.
 */
export type BusyNotes = {
  /** Whether somebody was told to wait, for as long as that lasts. */
  has(whom: Whom): boolean
  /** Notes that they are told now; false when they were told already. */
  note(whom: Whom, until: Date): boolean
}

/** A person in one channel: who reads along elsewhere has not seen it. */
export type Whom = { tenantId: string; asker: string; channel: string }

const most = 10_000

export function createBusyNotes(now: () => number = Date.now): BusyNotes {
  const until = new LRUCache<string, number>({ max: most })
  const toKey = ({ tenantId, asker, channel }: Whom) => JSON.stringify([tenantId, asker, channel])
  const has = (whom: Whom) => (until.get(toKey(whom)) ?? 0) > now()
  return {
    has,
    note(whom, at) {
      if (has(whom)) return false
      until.set(toKey(whom), at.getTime())
      return true
    },
  }
}
