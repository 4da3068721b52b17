import { findReply, findRetold, forgetText } from '#db/shared/inbox-threads.ts'
import { answerMessage } from './answer-message.ts'
import type { Turn, TurnParts } from './claimed-turn.ts'
import { Delivery } from './delivery.ts'
import { toAsker } from './platform.ts'
import type { Deletion, Edit } from './platform.ts'

/** How long after an answer an edited question is answered anew without asking, milliseconds. */
const editableMs = 10 * 60_000

/** Answers an edited question anew, in place of the old answer. A late edit is offered to be answered anew; one of a message never answered is left. */
export async function applyEdit(parts: TurnParts, turn: Turn, edit: Edit): Promise<string> {
  const earlier = await findReply(parts.db, turn.threadKey, edit.id)
  if (!earlier) return edit.mentioned || edit.place.direct ? await answerMessage(parts, turn, { ...edit, kind: 'message' }) : 'ignored:never-answered'
  if (!edit.wanted && Date.now() - earlier.doneAt.getTime() > editableMs) {
    const conversation = await turn.platform.converse(turn.tenantId, edit, turn)
    await conversation.offerRerun()
    return 'offered:late-edit'
  }
  const before = Delivery.parse(earlier.delivery ?? {})
  if (turn.delivery.messages.length === 0) await turn.save({ messages: before.messages })
  const outcome = await answerMessage(parts, turn, { ...edit, kind: 'message', mentioned: true }, { updated: true })
  if (before.answerId) await parts.api.as(turn.tenantId, toAsker(edit)).forgetAnswer(before.answerId)
  return outcome
}

/** Takes a reply away with the question it answered, and every stored text of both. */
export async function applyDeletion(parts: TurnParts, turn: Turn, deletion: Deletion): Promise<string> {
  const earlier = await findReply(parts.db, turn.threadKey, deletion.id)
  if (earlier) {
    const { messages, answerId } = Delivery.parse(earlier.delivery ?? {})
    const retold = answerId ? (await findRetold(parts.db, turn.threadKey, answerId)).map(({ delivery }) => Delivery.parse(delivery ?? {})) : []
    if (turn.delivery.messages.length === 0) await turn.save({ messages: [...messages, ...retold.flatMap((each) => each.messages)] })
    const conversation = await turn.platform.converse(turn.tenantId, deletion, turn)
    await conversation.retract()
    const api = parts.api.as(turn.tenantId, `${deletion.place.surface}:${deletion.place.workspace}`)
    for (const id of [answerId, ...retold.map((each) => each.answerId)]) if (id) await api.forgetAnswer(id)
  }
  await forgetText(parts.db, turn.threadKey, deletion.id)
  return earlier ? 'deleted' : 'ignored:never-answered'
}
