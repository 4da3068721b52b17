import type { FakeIdentityProvider } from './fake-identity-provider.ts'

/** Who and where, as Teams names them. */
export const teamsIds = {
  directory: '00000000-aaaa-bbbb-cccc-000000000001',
  bot: '28:11111111-2222-3333-4444-555555555555',
  alice: '00000000-0000-0000-0000-00000000a11c',
  bob: '00000000-0000-0000-0000-000000000b0b',
  team: '19:general@thread.tacv2',
  group: '00000000-dddd-eeee-ffff-000000000001',
  channel: '19:engineering@thread.tacv2',
  chat: '19:three-of-us@thread.v2',
  personal: 'a:1personal-alice',
} as const

export type Activity = Record<string, unknown>
export type SaidInTeams = {
  where?: 'channel' | 'groupChat' | 'personal'
  text?: string
  /** Puts the mention of Nura before the text. */
  mentioned?: boolean
  /** Root of the thread that is replied to. */
  thread?: string
  /** `aadObjectId` of the author. */
  from?: string
  id?: string
  serviceUrl?: string
  directory?: string
}

let clock = Date.now()

/** An id as Teams gives messages: milliseconds, each later than the one before. */
export function nextActivityId(): string {
  return String(++clock)
}

/** A message of a person. What `extra` holds replaces what would be there. */
export function messageActivity(said: SaidInTeams = {}, extra: Activity = {}): Activity {
  const { where = 'channel', text = '', mentioned = where !== 'personal', id = nextActivityId() } = said
  const mention = { type: 'mention', text: '<at>Nura</at>', mentioned: { id: teamsIds.bot, name: 'Nura' } }
  return toActivity(said, {
    type: 'message',
    id,
    text: mentioned ? `<at>Nura</at> ${text}` : text,
    textFormat: 'plain',
    localTimezone: 'Europe/Berlin',
    entities: [...(mentioned ? [mention] : []), { type: 'clientInfo', locale: 'en-GB', country: 'GB', platform: 'Windows', timezone: 'Europe/Berlin' }],
    attachments: [{ contentType: 'text/html', content: `<p>${text}</p>` }],
    ...extra,
    conversation: toConversation(where, said, id),
  })
}

/** The message `of` is changed, as people change it, or goes. */
export function changeActivity(of: Activity, change: { text: string } | 'delete' | 'undelete'): Activity {
  const { text: _, attachments: __, ...rest } = of
  const data = of.channelData as Activity
  const at = { ...rest, timestamp: new Date(++clock).toISOString() }
  if (change === 'delete') return { ...at, type: 'messageDelete', channelData: { ...data, eventType: 'softDeleteMessage' } }
  if (change === 'undelete') return { ...at, type: 'messageUpdate', text: of.text, channelData: { ...data, eventType: 'undeleteMessage' } }
  const mention = String(of.text).startsWith('<at>Nura</at>') ? '<at>Nura</at> ' : ''
  return { ...at, type: 'messageUpdate', text: `${mention}${change.text}`, channelData: { ...data, eventType: 'editMessage' } }
}

/** Nura is installed in, or taken out of, a team, a group chat or a personal chat. */
export function installationActivity(action: 'add' | 'remove', said: SaidInTeams = {}, extra: Activity = {}): Activity {
  const { where = 'channel' } = said
  const conversation = where === 'channel' ? { id: teamsIds.team, conversationType: 'channel', isGroup: true, tenantId: said.directory ?? teamsIds.directory } : toConversation(where, said, '')
  return toActivity({ ...said, where }, { type: 'installationUpdate', action, id: `f:${nextActivityId()}`, ...extra, conversation })
}

/** A click on a button of a card, or on the thumbs below a message. */
export function clickActivity(click: { verb: string; value: string } | { reaction: 'like' | 'dislike' }, at: SaidInTeams & { message: string }): Activity {
  const isThumb = 'reaction' in click
  const value = isThumb
    ? { actionName: 'feedback', actionValue: { reaction: click.reaction, feedback: '{"feedbackText":"because"}' } }
    : { action: { type: 'Action.Execute', verb: click.verb, data: { value: click.value } }, trigger: 'manual' }
  const { where = 'channel' } = at
  return toActivity(at, { type: 'invoke', name: isThumb ? 'message/submitAction' : 'adaptiveCard/action', id: `f:${nextActivityId()}`, value, replyToId: at.message, conversation: toConversation(where, at, at.message) })
}

/** The claims that the connector makes for an activity. */
export function claimsFor(activity: Activity): Record<string, unknown> {
  return { serviceurl: activity.serviceUrl }
}

/** How the connector of Teams sends an activity: as JSON, with its token. */
export async function toTeamsRequest(identity: FakeIdentityProvider, activity: Activity, headers: Record<string, string> = {}): Promise<{ method: 'POST'; body: string; headers: Record<string, string> }> {
  const authorization = `Bearer ${await identity.sign(claimsFor(activity))}`
  return { method: 'POST', body: JSON.stringify(activity), headers: { 'content-type': 'application/json; charset=utf-8', authorization, ...headers } }
}

function toActivity({ where = 'channel', from = teamsIds.alice, serviceUrl = 'https://smba.example/emea/', directory = teamsIds.directory }: SaidInTeams, fields: Activity): Activity {
  const inTeam = where === 'channel' ? { team: { id: teamsIds.team, name: 'Product', aadGroupId: teamsIds.group }, channel: { id: teamsIds.channel } } : {}
  return {
    channelId: 'msteams',
    serviceUrl,
    timestamp: new Date(++clock).toISOString(),
    from: { id: `29:${from}`, name: 'Somebody', aadObjectId: from },
    recipient: { id: teamsIds.bot, name: 'Nura' },
    channelData: { tenant: { id: directory }, ...inTeam },
    ...fields,
  }
}

function toConversation(where: 'channel' | 'groupChat' | 'personal', said: SaidInTeams, id: string): Activity {
  const tenantId = said.directory ?? teamsIds.directory
  if (where === 'personal') return { conversationType: 'personal', tenantId, id: teamsIds.personal }
  if (where === 'groupChat') return { conversationType: 'groupChat', isGroup: true, tenantId, id: teamsIds.chat }
  return { conversationType: 'channel', isGroup: true, tenantId, id: `${teamsIds.channel};messageid=${said.thread ?? id}` }
}
