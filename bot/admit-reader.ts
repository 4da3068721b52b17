import { remember } from '#db/shared/readers.ts'
import type { Turn, TurnParts } from './claimed-turn.ts'
import type { Admission, Conversation } from './platform.ts'

/** Whether a conversation may be answered. Only then is its reader known: a conversation that was refused never becomes one. */
export async function admitReader(parts: Pick<TurnParts, 'db'>, turn: Pick<Turn, 'tenantId' | 'platform'>, conversation: Conversation): Promise<Admission> {
  const admission = await conversation.admit()
  if (admission.ok && 'id' in admission.audience) {
    const { kind, id } = admission.audience
    await remember(parts.db, turn.tenantId, { kind, id, surface: turn.platform.name })
  }
  return admission
}
