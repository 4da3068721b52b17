export type FakeMessage = {
  ts: string
  channel: string
  thread_ts?: string
  user?: string
  bot_id?: string
  text: string
  blocks: { type: string; [key: string]: unknown }[]
  metadata?: { event_type: string; event_payload: Record<string, unknown> }
  /** Set while the message is a stream. */
  streaming?: boolean
  attachments?: unknown[]
  files?: unknown[]
  user_team?: string
  username?: string
}

/** What Slack knows: the state that people see and that its methods change. */
export type Workspace = {
  teamId: string
  botUserId: string
  botId: string
  tokens: Set<string>
  revoked: Set<string>
  channels: Map<string, Record<string, unknown> & { id: string; is_archived?: boolean; streams?: boolean; statuses?: boolean }>
  users: Map<string, Record<string, unknown> & { id: string }>
  messages: FakeMessage[]
  ephemerals: { channel: string; user: string; text: string; blocks: FakeMessage['blocks']; thread_ts?: string; ts: string }[]
  reactions: { channel: string; timestamp: string; name: string }[]
  /** Every status that was shown, and the one that is shown now, by `channel:thread`. */
  statuses: { channel: string; thread: string; status: string }[]
  /** The app is declared an agent: its sessions have a lifecycle. */
  agent: boolean
  /** Every status that a session was given. */
  sessions: { channel: string; thread: string; status: string }[]
  views: { kind: 'open' | 'publish'; view: Record<string, unknown>; user?: string }[]
  prompts: Record<string, unknown>[]
  triggers: Set<string>
  /** Codes of `oauth.v2.access` and what they give. */
  codes: Map<string, Record<string, unknown>>
  nextTs(): string
}

export function createFakeWorkspace(options: { teamId?: string; token?: string } = {}): Workspace {
  const teamId = options.teamId ?? 'T0NURA001'
  const start = Math.floor(Date.now() / 1000)
  let count = 0
  return {
    teamId,
    botUserId: 'U0NURABOT',
    botId: 'B0NURABOT',
    tokens: new Set([options.token ?? 'xoxb-fake-token']),
    revoked: new Set(),
    channels: new Map([
      ['C0GENERAL', { id: 'C0GENERAL', name: 'general', is_member: true }],
      ['D0ALICE', { id: 'D0ALICE', is_im: true, user: 'U0ALICE' }],
    ]),
    users: new Map(['U0ALICE', 'U0BOB', 'U0NURABOT'].map((id) => [id, { id, team_id: teamId, name: id.slice(2).toLowerCase() }])),
    messages: [],
    ephemerals: [],
    reactions: [],
    statuses: [],
    agent: false,
    sessions: [],
    views: [],
    prompts: [],
    triggers: new Set(),
    codes: new Map(),
    nextTs: () => `${start}.${String(++count).padStart(6, '0')}`,
  }
}

type Args = Record<string, unknown>
/** A method returns its result, or the name of its refusal. */
type Method = (workspace: Workspace, args: Args, token: string) => Record<string, unknown> | string

const mostCharacters = 12_000

/** Slack's limits on what a message may hold. */
export function checkMessage(args: Args): string | null {
  const blocks = Array.isArray(args.blocks) ? (args.blocks as { type?: string; text?: unknown; elements?: unknown[] }[]) : []
  if (blocks.length > 50) return 'invalid_blocks'
  if (blocks.some((block) => typeof block?.type !== 'string')) return 'invalid_blocks_format'
  const markdown = blocks.filter((block) => block.type === 'markdown').map((block) => String(block.text ?? ''))
  if (markdown.join('').length > mostCharacters) return 'msg_too_long'
  if (markdown.some((text) => text === '')) return 'invalid_blocks'
  for (const block of blocks) {
    const text = block.type === 'section' && typeof block.text === 'object' && block.text !== null && 'text' in block.text ? String(block.text.text) : null
    if (text !== null && (text === '' || text.length > 3000)) return 'invalid_blocks'
    if (block.type === 'context' && ((block.elements ?? []).length === 0 || (block.elements ?? []).length > 10)) return 'invalid_blocks'
  }
  if (String(args.markdown_text ?? '').length > mostCharacters) return 'msg_too_long'
  return String(args.text ?? '').length > 40_000 ? 'msg_too_long' : null
}

export const methods: Record<string, Method> = {
  'auth.test': (workspace) => ({ team_id: workspace.teamId, user_id: workspace.botUserId, bot_id: workspace.botId, url: 'https://fake.slack.com/' }),

  'chat.postMessage'(workspace, args) {
    const refusal = checkChannel(workspace, args)
    if (refusal) return refusal
    if (!args.text && !args.blocks && !args.markdown_text) return 'no_text'
    return post(workspace, args, {})
  },
  'chat.postEphemeral'(workspace, args) {
    const refusal = checkChannel(workspace, args)
    if (refusal) return refusal
    if (!workspace.users.has(String(args.user))) return 'user_not_in_channel'
    const thread = args.thread_ts === undefined ? {} : { thread_ts: String(args.thread_ts) }
    const ts = workspace.nextTs()
    workspace.ephemerals.push({ channel: String(args.channel), user: String(args.user), text: String(args.text), blocks: (args.blocks as FakeMessage['blocks'] | undefined) ?? [], ts, ...thread })
    return { message_ts: ts }
  },
  'chat.update'(workspace, args) {
    const message = find(workspace, args)
    if (typeof message === 'string') return message
    if (message.streaming) return 'streaming_state_conflict'
    message.text = String(args.text ?? message.text)
    message.blocks = (args.blocks as FakeMessage['blocks'] | undefined) ?? []
    if (args.metadata) message.metadata = args.metadata as FakeMessage['metadata']
    return { channel: message.channel, ts: message.ts }
  },
  'chat.delete'(workspace, args) {
    const message = find(workspace, args)
    if (typeof message === 'string') return message
    workspace.messages.splice(workspace.messages.indexOf(message), 1)
    return { ts: message.ts }
  },

  'chat.startStream'(workspace, args) {
    const refusal = checkChannel(workspace, args)
    if (refusal) return refusal
    if (!args.thread_ts) return 'invalid_thread_ts'
    const channel = workspace.channels.get(String(args.channel))
    if (channel?.streams === false) return 'method_not_supported_for_channel_type'
    if (!channel?.is_im && (!args.recipient_user_id || !args.recipient_team_id)) return 'missing_recipient_user_id'
    return post(workspace, { ...args, text: args.markdown_text ?? '', blocks: [] }, { streaming: true })
  },
  'chat.appendStream'(workspace, args) {
    const message = find(workspace, args)
    if (typeof message === 'string') return message
    return append(message, String(args.markdown_text ?? '')) ?? { ts: message.ts }
  },
  'chat.stopStream'(workspace, args) {
    const message = find(workspace, args)
    if (typeof message === 'string') return message
    const refusal = append(message, String(args.markdown_text ?? ''))
    if (refusal) return refusal
    message.streaming = false
    message.blocks = [...message.blocks, ...((args.blocks as FakeMessage['blocks'] | undefined) ?? [])]
    if (args.metadata) message.metadata = args.metadata as FakeMessage['metadata']
    return { ts: message.ts }
  },

  'conversations.replies'(workspace, args) {
    const root = workspace.messages.find((message) => message.channel === args.channel && message.ts === args.ts)
    if (!root) return 'thread_not_found'
    const { oldest = '0', latest = '9', limit = 1000 } = args
    const replies = workspace.messages.filter((message) => message.channel === args.channel && message.thread_ts === args.ts && message.ts !== args.ts && message.ts > String(oldest) && message.ts < String(latest))
    const shown = [root, ...replies.slice(0, Number(limit) - 1)].map(({ metadata, ...message }) => (args.include_all_metadata === true && metadata ? { ...message, metadata } : message))
    return { messages: shown, has_more: replies.length > Number(limit) - 1 }
  },
  'conversations.info'(workspace, args) {
    const channel = workspace.channels.get(String(args.channel))
    return channel ? { channel } : 'channel_not_found'
  },
  'users.info'(workspace, args) {
    const user = workspace.users.get(String(args.user))
    return user ? { user } : 'user_not_found'
  },

  'reactions.add'(workspace, args) {
    if (workspace.reactions.some((reaction) => reaction.timestamp === args.timestamp && reaction.name === args.name)) return 'already_reacted'
    workspace.reactions.push({ channel: String(args.channel), timestamp: String(args.timestamp), name: String(args.name) })
    return {}
  },
  'reactions.remove'(workspace, args) {
    const at = workspace.reactions.findIndex((reaction) => reaction.timestamp === args.timestamp && reaction.name === args.name)
    if (at < 0) return 'no_reaction'
    workspace.reactions.splice(at, 1)
    return {}
  },
  'assistant.threads.setStatus'(workspace, args) {
    if (workspace.channels.get(String(args.channel_id))?.statuses === false) return 'channel_not_supported'
    workspace.statuses.push({ channel: String(args.channel_id), thread: String(args.thread_ts), status: String(args.status ?? '') })
    return {}
  },
  'agents.sessions.setStatus'(workspace, args) {
    if (!workspace.agent) return 'feature_disabled'
    const refusal = checkChannel(workspace, { channel: args.channel_id })
    if (refusal) return refusal
    if (!args.thread_ts || !['active', 'processing', 'suspended', 'closed'].includes(String(args.status))) return 'invalid_arguments'
    workspace.sessions.push({ channel: String(args.channel_id), thread: String(args.thread_ts), status: String(args.status) })
    return { status: args.status }
  },
  'assistant.threads.setSuggestedPrompts'(workspace, args) {
    workspace.prompts.push(args)
    return {}
  },
  'views.open'(workspace, args) {
    if (!workspace.triggers.delete(String(args.trigger_id))) return 'expired_trigger_id'
    workspace.views.push({ kind: 'open', view: args.view as Record<string, unknown> })
    return { view: args.view }
  },
  'views.publish'(workspace, args) {
    workspace.views.push({ kind: 'publish', view: args.view as Record<string, unknown>, user: String(args.user_id) })
    return { view: args.view }
  },
  'oauth.v2.access'(workspace, args) {
    const grant = workspace.codes.get(String(args.code))
    workspace.codes.delete(String(args.code))
    return grant ?? 'invalid_code'
  },
}

function checkChannel(workspace: Workspace, args: Args): string | null {
  const channel = workspace.channels.get(String(args.channel))
  if (!channel) return 'channel_not_found'
  return channel.is_archived ? 'is_archived' : null
}

function find(workspace: Workspace, args: Args): FakeMessage | string {
  const refusal = checkChannel(workspace, args)
  if (refusal) return refusal
  const message = workspace.messages.find(({ channel, ts }) => channel === args.channel && ts === args.ts)
  if (!message) return 'message_not_found'
  return message.user === workspace.botUserId ? message : 'cant_update_message'
}

function append(message: FakeMessage, text: string): string | null {
  if (!message.streaming) return 'message_not_in_streaming_state'
  if (message.text.length + text.length > mostCharacters) return 'msg_too_long'
  message.text += text
  return null
}

function post(workspace: Workspace, args: Args, extra: { streaming?: boolean }): Record<string, unknown> {
  const message: FakeMessage = {
    ts: workspace.nextTs(),
    channel: String(args.channel),
    ...(args.thread_ts ? { thread_ts: String(args.thread_ts) } : {}),
    user: workspace.botUserId,
    bot_id: workspace.botId,
    text: String(args.text ?? args.markdown_text ?? ''),
    blocks: (args.blocks as FakeMessage['blocks'] | undefined) ?? [],
    ...(args.metadata ? { metadata: args.metadata as FakeMessage['metadata'] } : {}),
    ...extra,
  }
  workspace.messages.push(message)
  return { channel: message.channel, ts: message.ts, message }
}

/** A message as its readers see it: the text of its Markdown blocks where it has them, else its own, then what stands below. */
export function toVisible(message: FakeMessage): string {
  const markdown = message.blocks.filter(({ type }) => type === 'markdown').map(({ text }) => String(text))
  const below = message.blocks.filter(({ type }) => type !== 'markdown').map((block) => textsOf(block).join(' '))
  return [...(markdown.length > 0 ? markdown : [message.text]), ...below].join('\n')
}

function textsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(textsOf)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => (key === 'text' && typeof inner === 'string' ? [inner] : textsOf(inner)))
}
