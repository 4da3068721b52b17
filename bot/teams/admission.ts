import type { Logger } from 'pino'
import type { Admission, Incoming } from '../platform.ts'
import type { Roster } from './roster.ts'

export const refusalText = 'I do not answer in channels, chats or messages shared with another organisation: what I say here would leave yours.'
export const uncheckedText = 'I could not check whether outsiders read along here, so I do not answer. Please try again in a minute.'

export type AdmissionParts = { roster: Roster; incoming: Incoming; /** Team of the channel; null in a chat. */ teamId: string | null; log: Logger }

/** Decides whether a conversation may be answered, and for whom; fails closed. */
export async function admit({ roster, incoming, teamId, log }: AdmissionParts): Promise<Admission> {
  const { place } = incoming
  const reader = `teams:${place.workspace}`
  const isQuestion = incoming.kind === 'message' || incoming.kind === 'edit'
  const author = 'author' in incoming ? incoming.author : null
  const timeZone = isQuestion && incoming.timeZone ? { timeZone: incoming.timeZone } : {}
  try {
    if (isQuestion && incoming.external) return refuse(place.direct)
    if (!place.direct) {
      if (await roster.isShared(place.channel, teamId)) return refuse(false)
      return { ok: true, audience: { kind: 'channel', id: `${reader}:${place.channel}` }, ...timeZone }
    }
    if (author === null) return { ok: false, reason: 'no-author', say: uncheckedText }
    const person = await roster.person(place.channel, author)
    if (person.directoryId !== place.workspace) return refuse(true)
    // A guest is not a member of the organisation: only what everyone in the world may read.
    return { ok: true, audience: person.guest ? { kind: 'public' } : { kind: 'person', id: `${reader}:${author}` }, ...timeZone }
  } catch (error) {
    log.warn({ err: error }, 'teams could not tell who reads along')
    return { ok: false, reason: 'unchecked', say: uncheckedText }
  }
}

function refuse(direct: boolean): Admission {
  return { ok: false, reason: direct ? 'external-person' : 'external-channel', say: refusalText }
}
