import type { SlackCall } from './call.ts'

/** What Slack says of a channel and of a person, as far as it decides who may be answered. */
export type ChannelFacts = { shared: boolean; member: boolean; name: string | null }
export type PersonFacts = { guest: boolean; stranger: boolean; admin: boolean; name: string | null; /** IANA name of the zone they set. */ timeZone: string | null }

export type Directory = {
  /** @throws when Slack cannot tell. */
  channel(id: string): Promise<ChannelFacts>
  person(id: string): Promise<PersonFacts>
}

/** How long an answer of Slack's is believed, milliseconds: a channel can be opened to outsiders, and a person made a guest, at any time. */
const channelMs = 30_000
const personMs = 50_000
const mostKept = 2000

export function createDirectory(call: SlackCall, teamId: string, now: () => number = Date.now): Directory {
  const channel = remember(channelMs, now, async (id: string): Promise<ChannelFacts> => {
    const found = (await call('conversations.info', { channel: id }, { patience: 5 })).channel as Record<string, unknown>
    const shared = found.is_ext_shared === true || found.is_pending_ext_shared === true || isFilled(found.pending_connected_team_ids) || isForeign(found.connected_team_ids, teamId, found)
    return { shared, member: found.is_member === true, name: typeof found.name === 'string' ? found.name : null }
  })
  const person = remember(personMs, now, async (id: string): Promise<PersonFacts> => {
    const user = (await call('users.info', { user: id }, { patience: 5 })).user as Record<string, unknown>
    return {
      guest: user.is_restricted === true || user.is_ultra_restricted === true,
      stranger: user.is_stranger === true || (typeof user.team_id === 'string' && user.team_id !== teamId && user.enterprise_user === undefined),
      admin: user.is_admin === true || user.is_owner === true || user.is_primary_owner === true,
      name: typeof user.name === 'string' ? user.name : null,
      timeZone: isTimeZone(user.tz) ? user.tz : null,
    }
  })
  return { channel, person }
}

function isTimeZone(name: unknown): name is string {
  if (typeof name !== 'string' || name === '') return false
  try {
    Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0
}

/** Teams of the same organisation (`is_org_shared`) are no outsiders. */
function isForeign(teams: unknown, teamId: string, channel: Record<string, unknown>): boolean {
  return channel.is_org_shared !== true && Array.isArray(teams) && teams.some((team) => team !== teamId)
}

function remember<T>(ms: number, now: () => number, read: (id: string) => Promise<T>): (id: string) => Promise<T> {
  const kept = new Map<string, { value: Promise<T>; until: number }>()
  return (id) => {
    const known = kept.get(id)
    if (known && known.until > now()) return known.value
    if (kept.size >= mostKept) kept.clear()
    const value = read(id)
    kept.set(id, { value, until: now() + ms })
    value.catch(() => kept.delete(id))
    return value
  }
}
