import { z } from 'zod'
import { route, toWord } from './follow-up.ts'
import type { ThreadState } from './follow-up.ts'
import { Attachment } from './platform.ts'
import type { Incoming, Message } from './platform.ts'

/** What one turn answers: a message and what was added while it waited, as it now reads. */
export const Burst = z.object({
  messages: z.array(z.object({ id: z.string(), text: z.string(), attachments: z.array(Attachment) })),
  /** Rows that are taken up with it and need no turn of their own. */
  taken: z.array(z.string()),
})
export type Burst = z.infer<typeof Burst>

/** A stored row of a thread that is not finished. */
export type Waiting = { id: string; incoming: Incoming }

export function startBurst({ id, text, attachments }: Message): Burst {
  return { messages: [{ id, text, attachments }], taken: [] }
}

/**
 * Joins what the thread brought since: later messages that are for Nura too, up to the first that is not, and edits and
 * deletions of any message that is in. Without messages left there is nothing to answer.
 */
export function extendBurst(burst: Burst, later: Waiting[], thread: ThreadState): Burst {
  let messages = [...burst.messages]
  const taken = new Set(burst.taken)
  let joining = true
  for (const { id, incoming } of later) {
    if (incoming.kind === 'action' || incoming.kind === 'stop' || incoming.kind === 'outdated') continue
    if (incoming.kind === 'message') {
      joining &&= incoming.retell === undefined && joins(incoming, thread)
      if (!joining || taken.has(id)) continue
      messages.push({ id: incoming.id, text: incoming.text, attachments: incoming.attachments })
    } else {
      if (!messages.some((message) => message.id === incoming.id)) continue
      messages = messages.flatMap((message) => {
        if (message.id !== incoming.id) return [message]
        return incoming.kind === 'deletion' ? [] : [{ id: incoming.id, text: incoming.text, attachments: incoming.attachments }]
      })
    }
    taken.add(id)
  }
  return { messages, taken: [...taken] }
}

function joins(message: Message, thread: ThreadState): boolean {
  return toWord(message.text) === null && route({ ...message, direct: message.place.direct }, thread).answer
}

/** The burst as one message. */
export function toQuestion(burst: Burst): { text: string; attachments: Attachment[] } {
  const text = burst.messages.map((message) => message.text).filter(Boolean).join('\n\n')
  return { text, attachments: burst.messages.flatMap(({ attachments }) => attachments) }
}

/** What that came in meanwhile ends a running turn: `revised` when one of its messages was edited or deleted. */
export function interruptionOf(burst: Burst, later: Waiting[]): { reason: 'revised' | 'stopped'; by: string } | null {
  for (const { id, incoming } of later) {
    if (burst.taken.includes(id) || incoming.kind === 'action' || incoming.kind === 'outdated') continue
    if (incoming.kind === 'stop') return { reason: 'stopped', by: id }
    if (incoming.kind !== 'message' && burst.messages.some((message) => message.id === incoming.id)) return { reason: 'revised', by: id }
    if (incoming.kind === 'message' && toWord(incoming.text) === 'stop' && !incoming.namesOthers) return { reason: 'stopped', by: id }
  }
  return null
}
