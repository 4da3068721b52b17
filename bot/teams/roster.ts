import { NuraError } from '#db/nura-error.ts'

/** A person of a conversation, as far as it decides who may be answered. */
export type Person = { directoryId: string | null; guest: boolean }

export type Roster = {
  /** @throws NuraError `teams-roster-away` when Teams cannot tell */
  person(conversation: string, id: string): Promise<Person>
  /** Whether somebody of another directory reads along, as in a shared channel or a chat between organisations. */
  isShared(conversation: string, teamId: string | null): Promise<boolean>
}

export type RosterParts = { serviceUrl: string; directoryId: string; token(): Promise<string>; now?: () => number; timeoutMs?: number }

/** How long an answer of Teams' is believed, milliseconds: a channel can be opened to outsiders, and a person made a guest, at any time. */
const channelMs = 30_000
const personMs = 50_000
const mostKept = 2000
/** Members that are read of one conversation: whoever cannot be seen to the end counts as shared. */
const pageSize = 500
const mostPages = 10

/**
 * Asks the connector of one directory who reads along. The members of a standard channel are those of its team, which takes in
 * nobody of another directory but as a guest; a shared channel and a chat can be joined from elsewhere, so their members are read.
 */
export function createRoster(parts: RosterParts): Roster {
  const now = parts.now ?? Date.now
  const people = remember(personMs, now, async (key: string) => {
    const [conversation = '', id = ''] = JSON.parse(key) as string[]
    return toPerson(await get(parts, `conversations/${encodeURIComponent(conversation)}/members/${encodeURIComponent(id)}`))
  })
  const shared = remember(channelMs, now, async (key: string) => {
    const [conversation = '', teamId] = JSON.parse(key) as (string | null)[]
    if (teamId && (await isStandard(conversation ?? '', teamId))) return false
    return await hasOutsider(conversation ?? '')
  })

  async function isStandard(channelId: string, teamId: string): Promise<boolean> {
    // The channel that a team begins with cannot be shared, and Teams gives it no type.
    if (channelId === teamId) return true
    const { conversations } = await get(parts, `teams/${encodeURIComponent(teamId)}/conversations`)
    const channel = (Array.isArray(conversations) ? conversations : []).find((each: { id?: unknown }) => each?.id === channelId) as { type?: unknown } | undefined
    return channel?.type === 'standard' || channel?.type === 'private'
  }

  async function hasOutsider(conversation: string): Promise<boolean> {
    for (let page = 0, token = ''; page < mostPages; page++) {
      const query = new URLSearchParams({ pageSize: String(pageSize), ...(token ? { continuationToken: token } : {}) })
      const { members, continuationToken } = await get(parts, `conversations/${encodeURIComponent(conversation)}/pagedmembers?${query.toString()}`)
      if (!Array.isArray(members)) throw away(new Error('no members'))
      if (members.some((member) => toPerson(member as Record<string, unknown>).directoryId !== parts.directoryId)) return true
      if (typeof continuationToken !== 'string' || continuationToken === '') return false
      token = continuationToken
    }
    return true
  }

  return {
    person: (conversation, id) => people(JSON.stringify([conversation, id])),
    isShared: (conversation, teamId) => shared(JSON.stringify([conversation, teamId])),
  }
}

function toPerson(member: Record<string, unknown>): Person {
  return { directoryId: typeof member.tenantId === 'string' ? member.tenantId : null, guest: member.userRole === 'guest' || member.userRole === 'anonymous' }
}

async function get(parts: RosterParts, path: string): Promise<Record<string, unknown>> {
  const authorization = `Bearer ${await parts.token()}`
  const address = `${parts.serviceUrl.replace(/\/+$/, '')}/v3/${path}`
  try {
    const response = await fetch(address, { headers: { authorization }, redirect: 'error', signal: AbortSignal.timeout(parts.timeoutMs ?? 10_000) })
    if (!response.ok) throw new Error(`status ${response.status}`)
    return (await response.json()) as Record<string, unknown>
  } catch (error) {
    throw away(error)
  }
}

function away(cause: unknown): NuraError {
  return new NuraError('teams-roster-away', 'Teams does not tell who is in the conversation.', { retryable: true, cause })
}

function remember<T>(ms: number, now: () => number, read: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const kept = new Map<string, { value: Promise<T>; until: number }>()
  return (key) => {
    const known = kept.get(key)
    if (known && known.until > now()) return known.value
    if (kept.size >= mostKept) kept.clear()
    const value = read(key)
    kept.set(key, { value, until: now() + ms })
    value.catch(() => kept.delete(key))
    return value
  }
}
