import { NuraError } from '#db/nura-error.ts'
import { read } from '#db/shared/inbox.ts'
import { lastReply } from '#db/shared/inbox-threads.ts'
import type { Turn, TurnParts } from './claimed-turn.ts'
import { Delivery } from './delivery.ts'
import { Incoming } from './platform.ts'
import type { Outdated } from './platform.ts'

/**
 * Says below an answer that a source of it has changed. Only the newest answer of a thread says so, and none where Nura was
 * told to be quiet. Runs as a turn of its thread, so that no run that changes the same messages is under way.
 */
export async function noteOutdated(parts: TurnParts, turn: Turn, outdated: Outdated): Promise<string> {
  const row = await read(parts.db, outdated.inboxId)
  const delivery = Delivery.parse(row?.delivery ?? {})
  const asked = Incoming.safeParse(row?.payload)
  const isShown = row !== null && row.tenantId === turn.tenantId && row.threadKey === turn.threadKey && delivery.answerId === outdated.id
  if (!isShown || !asked.success) return 'ignored:gone'
  if ((await lastReply(parts.db, turn.threadKey))?.id !== row.id) return 'ignored:not-the-newest'
  const api = parts.api.as(turn.tenantId, `${outdated.place.surface}:${outdated.place.workspace}`)
  if ((await api.readThread(turn.threadKey)).muted) return 'silent:muted'
  const answer = await api.readAnswer(outdated.id).catch((error: unknown) => {
    if (error instanceof NuraError && error.code === 'not-found') return null
    throw error
  })
  if (answer === null) return 'ignored:gone'
  await turn.save({ messages: delivery.messages })
  // The conversation is the one of the reply: its buttons and its marks keep naming the row that it belongs to.
  const conversation = await turn.platform.converse(turn.tenantId, asked.data, { inboxId: row.id, attempt: 1, shown: turn.shown, log: turn.log })
  await conversation.noteOutdated(answer, outdated.sha, delivery.notes)
  return 'outdated'
}
