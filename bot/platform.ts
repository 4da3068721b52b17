import type { Middleware } from 'koa'
import type { Logger } from 'pino'
import { z } from 'zod'
import type { Db } from '#db/index.ts'
import type { AnswerPart } from '#server/answer-part.ts'
import type { Audience } from '#server/retrieval/audience.ts'
import type { NuraApi, StoredAnswer } from './nura-api.ts'

/** Where a message stands. `root` is the message whose thread replies go to: the message itself when it opens one. */
export const Place = z.object({
  surface: z.string(),
  workspace: z.string(),
  channel: z.string(),
  root: z.string(),
  /** A conversation of one person with Nura alone. */
  direct: z.boolean(),
})
export type Place = z.infer<typeof Place>

/** What came with a message beside its text. `text` is null when it could not be read, and the answer then says so. */
export const Attachment = z.object({ title: z.string(), text: z.string().nullable() })
export type Attachment = z.infer<typeof Attachment>

/** A message someone wrote. `text` is plain: the mention of Nura is taken out, links and names are written out. */
export const Message = z.object({
  kind: z.literal('message'),
  place: Place,
  /** The platform's id of the message, such as Slack's `ts`. */
  id: z.string(),
  author: z.string(),
  text: z.string(),
  /** Nura itself is named. */
  mentioned: z.boolean(),
  /** Somebody else is named. */
  namesOthers: z.boolean(),
  /** The author or the channel belongs, as far as the event tells, to another organisation. */
  external: z.boolean(),
  attachments: z.array(Attachment),
  /** IANA name of the author's time zone, where the platform sends it along. */
  timeZone: z.string().optional(),
  /** Not a question of its own: this answer is to be told again, as another agent tells it, in the same thread. */
  retell: z.object({ answerId: z.string(), agent: z.string() }).optional(),
})
export type Message = z.infer<typeof Message>

/** The message `id` now reads `text`. */
export const Edit = Message.extend({ kind: z.literal('edit'), /** The platform's id of this revision. */ revision: z.string(), /** Its author asked for the new answer, however late. */ wanted: z.boolean().optional() })
export type Edit = z.infer<typeof Edit>

/** The message `id` is gone. */
export const Deletion = z.object({ kind: z.literal('deletion'), place: Place, id: z.string() })
export type Deletion = z.infer<typeof Deletion>

/** Somebody wants what runs in a thread to end, by the platform's own means. */
export const Stop = z.object({ kind: z.literal('stop'), place: Place, /** The platform's id of the wish. */ id: z.string(), author: z.string() })
export type Stop = z.infer<typeof Stop>

/** Something that a given answer cites is no longer what its source says. Told by Nura itself, once for each answer. */
export const Outdated = z.object({
  kind: z.literal('outdated'),
  place: Place,
  /** The stored answer. */
  id: z.string(),
  /** The row whose reply shows it. */
  inboxId: z.string(),
  /** Commit of the source at which it was found out. */
  sha: z.string(),
})
export type Outdated = z.infer<typeof Outdated>

/** A click, a submitted form or a command. `request` is what the platform needs to answer it and means nothing elsewhere. */
export const Action = z.object({
  kind: z.literal('action'),
  place: Place,
  /** Unique per request: the hash of its signature. */
  id: z.string(),
  name: z.string(),
  author: z.string(),
  value: z.string(),
  request: z.record(z.string(), z.unknown()),
})
export type Action = z.infer<typeof Action>

/** What happened, in Nura's words: the payload of an inbox row. */
export const Incoming = z.discriminatedUnion('kind', [Message, Edit, Deletion, Stop, Action, Outdated])
export type Incoming = z.infer<typeof Incoming>

/** One line of the conversation around a question. `trusted` is false for outsiders and for other bots. */
export type ContextLine = { author: string; text: string; trusted: boolean }

/**
 * What is already visible of a reply, kept in the inbox row so that a second run continues it.
 * `save` refuses with NuraError `stale-attempt` when another run has taken the row over: nothing may be shown after that.
 */
export type Shown = { readonly messages: readonly string[]; save(messages: string[]): Promise<void> }

/** The run that a conversation is part of. `attempt` counts from 1: a later one may find what an earlier one showed. */
export type Run = { readonly inboxId: string; readonly attempt: number; readonly shown: Shown; readonly log: Logger }

/** How a reply ended. */
export type Delivered =
  | { outcome: 'answered' | 'abstained'; answerId: string; agent: string; /** Said below the answer beside it. */ notes?: string[] }
  | { outcome: 'failed' | 'interrupted'; code: string }
  /** Nothing could be shown but that it will be tried again. */
  | { outcome: 'waiting'; code: string }

/** May this conversation be answered, and for whom. `say` is the refusal the asker sees. */
export type Admission = { ok: true; audience: Audience; /** IANA name of the asker's time zone, where the platform tells it. */ timeZone?: string } | { ok: false; reason: string; say: string }

/** A reply in the making at one place. */
export type Conversation = {
  /** Decided before any source is read; fails closed. */
  admit(): Promise<Admission>
  /** The thread so far, oldest first, and the names of what could not be read. */
  context(): Promise<{ lines: ContextLine[]; unread: string[] }>
  /** Shows the phase; never waited for, never throws. */
  status(text: string): void
  /** Takes every status away; called on each way out. `always`: also when this run showed none, for an earlier one may have. */
  clear(options?: { always: boolean }): Promise<void>
  /** Renders the answer as it arrives, whichever way the stream ends. */
  deliver(parts: AsyncIterable<AnswerPart>, options: { signal: AbortSignal; updated: boolean; retries: boolean }): Promise<Delivered>
  /** One visible message; `card` adds questions to try. */
  say(text: string, card?: { questions: string[] }): Promise<void>
  /** To the asker alone, where the platform can; else as `say`. */
  whisper(text: string): Promise<void>
  /** Asks the author of an edit, and nobody else, whether to answer anew; the click tells the edit again as `wanted`. Best effort. */
  offerRerun(): Promise<void>
  /** Says below the visible reply that a source of it has changed, in its own messages, and offers to check again. Shows nothing new. */
  noteOutdated(answer: StoredAnswer, sha: string, notes: string[]): Promise<void>
  /** Takes the visible reply away. */
  retract(): Promise<void>
}

export type PlatformParts = {
  db: Db
  api: NuraApi
  log: Logger
  /** The tenant that single-workspace credentials belong to. */
  tenantId: string
  /** The tenant of a workspace that installs Nura by itself, made when there is none. */
  provisionTenant(workspace: { surface: string; id: string; name: string }): Promise<{ id: string }>
  /**
   * Takes what came in: stores it, then hints at it. `now`: carried out at once in this process, for what cannot wait for
   * the queue (a form must open within 3 s). Null when it does not concern Nura.
   * Rejects when it could not be stored, so that the platform sends it again.
   */
  receive(tenantId: string, incoming: Incoming, options?: { now: boolean }): Promise<{ id: string; isNew: boolean } | null>
  /** Hints that a stored row waits. */
  queue(inboxId: string, tenantId: string): Promise<void>
}

/** A platform that is configured and running. */
export type OpenPlatform = {
  readonly name: string
  /** The agent that answers here where a question does not speak clearly for another. */
  readonly prefer?: string
  /** Its routes. */
  readonly middleware: Middleware
  /** Rejects with the reason while traffic cannot be taken. */
  ready(): Promise<void>
  /** The conversation that `incoming` belongs to. */
  converse(tenantId: string, incoming: Incoming, run: Run): Promise<Conversation>
  /** Carries out a click, a form or a command. Returns its outcome for the record. */
  act(tenantId: string, action: Action, inboxId: string): Promise<string>
  /** What an error means for a turn: the platform let us go, or will never take the reply; null when neither is sure. */
  judge(error: unknown): 'uninstalled' | 'undeliverable' | null
  close(): Promise<void>
}

/**
 * A place where people talk to Nura. `platformContract` (`testing/platform-contract.ts`) is the whole test of a new one;
 * `platforms.ts` is where it is listed.
 */
export type Platform<Env extends z.ZodRawShape = z.ZodRawShape> = {
  readonly name: string
  /** The environment keys it owns. */
  readonly env: Env
  /** Judges its keys together. @throws NuraError `bad-environment` when they configure it by halves or twice. */
  check(env: z.output<z.ZodObject<Env>>): void
  /** Null when the environment does not configure it. @throws NuraError `bad-environment` when it does so by halves. */
  open(env: z.output<z.ZodObject<Env>>, parts: PlatformParts): Promise<OpenPlatform | null>
}

export function definePlatform<const Env extends z.ZodRawShape>(platform: Platform<Env>): Platform<Env> {
  return platform
}

/** Opaque id of the conversation: one turn at a time runs in it. A direct conversation is one transcript. */
export function toThreadKey(place: Place): string {
  return [place.surface, place.workspace, place.channel, ...(place.direct ? [] : [place.root])].join(':')
}

/** Unique key of what happened: however often and by whichever event the platform tells it, it is the same key. */
export function toEventKey(incoming: Incoming): string {
  const { surface, workspace, channel } = incoming.place
  const subject = incoming.kind === 'action' ? [surface, workspace, 'action', incoming.id] : [surface, workspace, channel, incoming.kind, incoming.id]
  return [...subject, ...(incoming.kind === 'edit' ? [incoming.revision, ...(incoming.wanted ? ['wanted'] : [])] : [])].join(':')
}

/** The author as the server knows them. */
export function toAsker(incoming: { place: Place; author: string }): string {
  return `${incoming.place.surface}:${incoming.place.workspace}:${incoming.author}`
}
