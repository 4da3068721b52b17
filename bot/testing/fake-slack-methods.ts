import { checkBlocks } from './check-blocks.ts'

export type FakeTask = { id: string; title: string; status: string }

export type FakeFile = { id: string; filename: string; length: number; bytes: Buffer | null; completed: boolean; title: string; channel: string | null; /** Tries to show it that are still refused. */ unready: number }

export type FakeMessage = {
  ts: string
  channel: string
  thread_ts?: string
  user?: string
  bot_id?: string
  app_id?: string
  text: string
  blocks: { type: string; [key: string]: unknown }[]
  metadata?: { event_type: string; event_payload: Record<string, unknown> }
  /** Set while the message is a stream. */
  streaming?: boolean
  /** Its stream takes chunks, so text alone is refused. */
  chunked?: boolean
  /** The cards of its plan, as they stand now. */
  tasks?: FakeTask[]
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
  files: FakeFile[]
  /** Tries to show a new file that are refused because Slack has not looked at it yet. */
  filesUnready: number
  /** Rights that the installation lacks. */
  missingScopes: Set<string>
  /** Where files are uploaded to. */
  uploadRoot: string
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
    files: [],
    filesUnready: 0,
    missingScopes: new Set(),
    uploadRoot: '',
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
export function checkMessage(args: Args, workspace: Workspace): string | null {
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
  const fault = checkBlocks(blocks, workspace)
  if (fault !== null) return fault === 'only_one_table_allowed' ? 'invalid_attachments' : 'invalid_blocks'
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
    // The cards of a plan are blocks too, and go with the blocks that they were.
    delete message.tasks
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
    if (!['timeline', 'plan', undefined].includes(args.task_display_mode as string | undefined)) return 'invalid_arguments'
    const chunked = args.chunks !== undefined
    const posted = post(workspace, { ...args, text: args.markdown_text ?? '', blocks: [] }, { streaming: true, ...(chunked && { chunked }) })
    const message = workspace.messages.at(-1)
    return (message && appendChunks(message, args)) ?? posted
  },
  'chat.appendStream'(workspace, args) {
    const message = find(workspace, args)
    if (typeof message === 'string') return message
    return append(message, args) ?? { ts: message.ts }
  },
  'chat.stopStream'(workspace, args) {
    const message = find(workspace, args)
    if (typeof message === 'string') return message
    const refusal = append(message, args)
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

  'files.getUploadURLExternal'(workspace, args) {
    if (workspace.missingScopes.has('files:write')) return 'missing_scope'
    if (!args.filename || !(Number(args.length) > 0)) return 'invalid_arguments'
    const id = `F0FILE${workspace.nextTs().split('.')[1]}`
    workspace.files.push({ id, filename: String(args.filename), length: Number(args.length), bytes: null, completed: false, title: '', channel: null, unready: workspace.filesUnready })
    return { upload_url: `${workspace.uploadRoot}/upload/${id}`, file_id: id }
  },
  'files.completeUploadExternal'(workspace, args) {
    const given = Array.isArray(args.files) ? (args.files as { id?: string; title?: string }[]) : []
    const files = given.map(({ id }) => workspace.files.find((file) => file.id === id))
    if (files.length === 0) return 'invalid_arguments'
    for (const [at, file] of files.entries()) {
      if (!file?.bytes) return 'file_not_found'
      Object.assign(file, { completed: true, title: given[at]?.title ?? file.filename, channel: args.channel_id ?? null })
    }
    return { files: given }
  },
  'files.delete'(workspace, args) {
    const at = workspace.files.findIndex(({ id }) => id === args.file)
    if (at < 0) return 'file_not_found'
    workspace.files.splice(at, 1)
    return {}
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

function append(message: FakeMessage, args: Args): string | null {
  if (!message.streaming) return 'message_not_in_streaming_state'
  const text = String(args.markdown_text ?? '')
  // A stream is either of text or of chunks.
  if ((text !== '' && message.chunked) || (args.chunks !== undefined && !message.chunked)) return 'streaming_mode_mismatch'
  if (message.text.length + text.length > mostCharacters) return 'msg_too_long'
  message.text += text
  return appendChunks(message, args)
}

function appendChunks(message: FakeMessage, args: Args): string | null {
  for (const chunk of Array.isArray(args.chunks) ? (args.chunks as Record<string, unknown>[]) : []) {
    if (chunk.type === 'markdown_text') {
      if (message.text.length + String(chunk.text).length > mostCharacters) return 'msg_too_long'
      message.text += String(chunk.text)
    } else if (chunk.type === 'task_update') {
      const task = { id: String(chunk.id), title: String(chunk.title ?? ''), status: String(chunk.status) }
      if (task.title === '' || !['pending', 'in_progress', 'complete', 'error'].includes(task.status)) return 'invalid_chunks'
      message.tasks = [...(message.tasks ?? []).filter(({ id }) => id !== task.id), task]
    } else return 'invalid_chunks'
  }
  return null
}

function post(workspace: Workspace, args: Args, extra: { streaming?: boolean; chunked?: boolean }): Record<string, unknown> {
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
