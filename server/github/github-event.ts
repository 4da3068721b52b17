import { z } from 'zod'
import { MentionEvent } from './mention-event.ts'

/** Where an event comes from. Whose it is follows from the installation; the account only confirms it. */
const origin = {
  installationId: z.int().positive(),
  /** Owner of the repository, or of the installation. */
  account: z.object({ id: z.int(), login: z.string() }),
}

/** A repository as the delivery had it: `externalId` stays what it is, everything else may have changed since. */
const repository = { ...origin, externalId: z.int().positive(), repository: z.string(), isPrivate: z.boolean() }

/** A ref moved, appeared or went. The source's head is always read anew; `sha` is only a hint. */
export const PushEvent = z.object({
  kind: z.literal('push'),
  ...repository,
  ref: z.string(),
  sha: z.string(),
  deleted: z.boolean(),
  defaultBranch: z.string().nullable(),
})
export type PushEvent = z.infer<typeof PushEvent>

export const RepositoryEvent = z.object({
  kind: z.literal('repository'),
  ...repository,
  action: z.enum(['created', 'deleted', 'renamed', 'transferred', 'privatized', 'publicized', 'default-branch']),
})
export type RepositoryEvent = z.infer<typeof RepositoryEvent>

/** The App as a whole came, went, was halted or got other rights in an account. */
export const InstallationEvent = z.object({
  kind: z.literal('installation'),
  ...origin,
  action: z.enum(['created', 'deleted', 'suspend', 'unsuspend', 'new_permissions_accepted', 'renamed']),
})
export type InstallationEvent = z.infer<typeof InstallationEvent>

/** Repositories were given to, or taken from, an installation. */
export const SelectionEvent = z.object({
  kind: z.literal('selection'),
  ...origin,
  action: z.enum(['added', 'removed']),
  removed: z.array(z.int().positive()),
})
export type SelectionEvent = z.infer<typeof SelectionEvent>

export const PullEvent = z.object({
  kind: z.literal('pull'),
  ...repository,
  action: z.enum(['opened', 'reopened', 'synchronize', 'ready_for_review', 'converted_to_draft', 'edited', 'labeled', 'unlabeled', 'closed']),
  number: z.int().positive(),
  headSha: z.string(),
  /** The head before a push to it; null for every other action. */
  before: z.string().nullable(),
  state: z.enum(['open', 'closed']),
  draft: z.boolean(),
  skipped: z.boolean(),
  author: z.string(),
})
export type PullEvent = z.infer<typeof PullEvent>

/** Something happened that is counted. What it is now is read from GitHub; here stand only times that no list tells, and what went away. */
export const ActivityEvent = z.object({
  kind: z.literal('activity'),
  ...repository,
  of: z.enum(['pull', 'issue', 'review', 'release', 'deployment']),
  /** Of the pull request or issue. */
  number: z.int().positive().nullable(),
  action: z.enum(['ready', 'pushed', 'gone']).nullable(),
  /** When the source last changed it. */
  at: z.iso.datetime({ offset: true }).nullable(),
})
export type ActivityEvent = z.infer<typeof ActivityEvent>

/** What is kept of a delivery in the inbox: ids, shas, names; of people's text only what is said to Nura. */
export const GithubEvent = z.discriminatedUnion('kind', [PushEvent, RepositoryEvent, InstallationEvent, SelectionEvent, PullEvent, ActivityEvent, MentionEvent])
export type GithubEvent = z.infer<typeof GithubEvent>

/** Names a delivery in the inbox, however often it is sent. */
export function toEventKey(guid: string): string {
  return `github:${guid}`
}

/** Events of one key are carried out one after the other, in the order they came. */
export function toThreadKey(event: GithubEvent): string {
  const installation = `github:${event.installationId}`
  if (event.kind === 'installation' || event.kind === 'selection') return installation
  const of = `${installation}:${event.externalId}`
  if (event.kind === 'pull') return `${of}:pull:${event.number}`
  if (event.kind === 'activity') return `${of}:activity`
  if (event.kind === 'mention') return [of, 'mention', event.number, ...(event.rootId === null ? [] : [event.rootId])].join(':')
  return of
}
