import type { Logger } from 'pino'
import { within } from '#server/within.ts'
import type { Admission, Incoming } from '../platform.ts'
import { isFinal, refusalOf } from './call.ts'
import type { Directory, PersonFacts } from './people.ts'

export const refusalText =
  'I do not answer in channels or messages shared with another organisation: what I say here would leave your workspace. An admin of this workspace can allow this channel with `/nura allow`.'
export const uncheckedText = 'I could not check whether outsiders read along here, so I do not answer. Please try again in a minute.'
/** How long a question waits to learn its asker's time zone, milliseconds: it can be answered in UTC. */
const zoneMs = 2000

export type AdmissionParts = {
  directory: Directory
  /** Whether an admin allowed a channel that is shared with outsiders. */
  isApproved(channel: string): Promise<boolean>
  incoming: Incoming
  log: Logger
}

/** Decides whether a conversation may be answered, and for whom; fails closed. */
export async function admit({ directory, isApproved, incoming, log }: AdmissionParts): Promise<Admission> {
  const { place } = incoming
  const asker = 'author' in incoming ? incoming.author : ''
  const id = `slack:${place.workspace}`
  try {
    if (place.direct) {
      const person = await directory.person(asker)
      if (isFromOutside(incoming) || person.stranger) return { ok: false, reason: 'external-person', say: refusalText }
      // A guest is not a member of the workspace at large: only what everyone in the world may read.
      return { ok: true, audience: person.guest ? { kind: 'public' } : { kind: 'person', id: `${id}:${asker}` }, ...toZone(person) }
    }
    // Asked for at once, not waited for by a refusal, and no reason for one.
    const person = directory.person(asker).catch((error: unknown) => {
      log.debug({ refusal: refusalOf(error) }, 'slack could not tell the time zone of the asker')
      return { timeZone: null }
    })
    const shared = isFromOutside(incoming) || (await directory.channel(place.channel)).shared
    if (shared && !(await isApproved(place.channel))) return { ok: false, reason: 'external-channel', say: refusalText }
    return { ok: true, audience: { kind: 'channel', id: `${id}:${place.channel}` }, ...toZone((await within(person, zoneMs)) ?? { timeZone: null }) }
  } catch (error) {
    if (isFinal(error)) throw error
    log.warn({ err: error, refusal: refusalOf(error) }, 'slack could not tell who reads along')
    return { ok: false, reason: 'unchecked', say: uncheckedText }
  }
}

function toZone({ timeZone }: Pick<PersonFacts, 'timeZone'>): { timeZone?: string } {
  return timeZone === null ? {} : { timeZone }
}

function isFromOutside(incoming: Incoming): boolean {
  return (incoming.kind === 'message' || incoming.kind === 'edit') && incoming.external
}
