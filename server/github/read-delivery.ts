import { z } from 'zod'
import { NuraError } from '#db/nura-error.ts'
import { findMention } from './find-mention.ts'
import type { ActivityEvent, GithubEvent, PullEvent, RepositoryEvent } from './github-event.ts'

/** The label with which people ask for no summary. */
export const skipLabel = 'nura:skip'

const account = z.object({ id: z.int(), login: z.string() })
const person = account.extend({ type: z.string() })
const installation = z.object({ id: z.int().positive() })
const repository = z.object({ id: z.int().positive(), full_name: z.string(), private: z.boolean(), owner: account, default_branch: z.string().nullish() })
const inRepository = z.object({ installation, repository })

const Push = inRepository.extend({ ref: z.string(), after: z.string(), deleted: z.boolean() })
const OfRepository = inRepository.extend({ action: z.string(), changes: z.object({ default_branch: z.unknown().optional() }).nullish() })
const OfInstallation = z.object({ action: z.string(), installation: installation.extend({ account }) })
const Renamed = z.object({ action: z.string(), installation, account: account.nullish() })
const Selection = OfInstallation.extend({ repositories_removed: z.array(z.object({ id: z.int().positive() })) })
const Pull = inRepository.extend({
  action: z.string(),
  number: z.int().positive(),
  before: z.string().nullish(),
  label: z.object({ name: z.string() }).nullish(),
  pull_request: z.object({
    head: z.object({ sha: z.string() }),
    state: z.enum(['open', 'closed']),
    draft: z.boolean().nullish(),
    labels: z.array(z.object({ name: z.string() })),
    user: person.nullable(),
    body: z.string().nullable(),
    html_url: z.string(),
    updated_at: z.string().optional(),
  }),
})
const comment = z.object({ id: z.int().positive(), body: z.string().nullable(), user: person.nullable(), html_url: z.string(), in_reply_to_id: z.int().positive().nullish() })
const issue = z.object({ number: z.int().positive(), pull_request: z.unknown().optional(), user: person.nullable(), body: z.string().nullable(), html_url: z.string() })
const Issue = inRepository.extend({ action: z.string(), issue })
const IssueComment = Issue.extend({ comment })
const ReviewOfPull = inRepository.extend({ pull_request: z.object({ number: z.int().positive() }) })
const ReviewComment = inRepository.extend({ action: z.string(), comment, pull_request: z.object({ number: z.int().positive() }) })

/** How the payload of each event that concerns us is read. The names are GitHub's. */
const readers: Record<string, (payload: unknown, slug: string | null) => GithubEvent[]> = {
  push: readPush,
  repository: readRepository,
  public: (payload) => readRepository({ ...z.looseObject({}).parse(payload), action: 'publicized' }),
  installation: readInstallation,
  installation_target: readRenamed,
  installation_repositories: readSelection,
  pull_request: readPull,
  pull_request_review: (payload) => [toActivity(ReviewOfPull.parse(payload), 'review', { number: ReviewOfPull.parse(payload).pull_request.number })],
  release: (payload) => [toActivity(inRepository.parse(payload), 'release')],
  deployment: (payload) => [toActivity(inRepository.parse(payload), 'deployment')],
  deployment_status: (payload) => [toActivity(inRepository.parse(payload), 'deployment')],
  issues: readIssue,
  issue_comment: readIssueComment,
  pull_request_review_comment: readReviewComment,
}

/** Events in which people may speak to Nura: to read these its name must be known. */
export const spokenEvents: ReadonlySet<string> = new Set(['issues', 'issue_comment', 'pull_request', 'pull_request_review_comment'])

/**
 * What a delivery means for Nura: nothing, one thing, or two where a pull request is opened with words to Nura in it.
 *
 * @param name of the event, as `x-github-event` has it.
 * @param slug of the App; null while GitHub has not said it.
 * @throws ZodError when the payload is not what GitHub documents; NuraError `github-unavailable` when it cannot be told
 *   without the slug whether Nura is spoken to
 */
export function toGithubEvents(name: string, payload: unknown, slug: string | null): GithubEvent[] {
  return isRead(name) ? readers[name]!(payload, slug) : []
}

/** Whether an event concerns us, as far as its name tells. */
export function isRead(name: string): boolean {
  return Object.hasOwn(readers, name)
}

/** Nobody wants a summary of what a bot opens, nor of what a label says so of. */
export function isSkipped(pull: { user: { type?: string } | null; labels: { name?: string }[] }): boolean {
  return pull.user?.type === 'Bot' || pull.labels.some(({ name }) => name === skipLabel)
}

type Place = z.infer<typeof inRepository>

function toPlace({ installation: { id }, repository: at }: Place) {
  return { installationId: id, account: { id: at.owner.id, login: at.owner.login }, externalId: at.id, repository: at.full_name, isPrivate: at.private }
}

function readPush(payload: unknown): GithubEvent[] {
  const given = Push.parse(payload)
  return [{ kind: 'push', ...toPlace(given), ref: given.ref, sha: given.after, deleted: given.deleted, defaultBranch: given.repository.default_branch ?? null }]
}

function readRepository(payload: unknown): GithubEvent[] {
  const given = OfRepository.parse(payload)
  const action = given.action === 'edited' && given.changes?.default_branch !== undefined ? 'default-branch' : given.action
  return isOneOf(repositoryActions, action) ? [{ kind: 'repository', ...toPlace(given), action }] : []
}
const repositoryActions = ['created', 'deleted', 'renamed', 'transferred', 'privatized', 'publicized', 'default-branch'] as const satisfies RepositoryEvent['action'][]

function readInstallation(payload: unknown): GithubEvent[] {
  const { action, installation: { id, account: of } } = OfInstallation.parse(payload)
  return isOneOf(installationActions, action) ? [{ kind: 'installation', installationId: id, account: { id: of.id, login: of.login }, action }] : []
}
const installationActions = ['created', 'deleted', 'suspend', 'unsuspend', 'new_permissions_accepted'] as const

function readRenamed(payload: unknown): GithubEvent[] {
  const { action, installation: { id }, account: of } = Renamed.parse(payload)
  return action === 'renamed' && of ? [{ kind: 'installation', installationId: id, account: { id: of.id, login: of.login }, action }] : []
}

function readSelection(payload: unknown): GithubEvent[] {
  const { action, installation: { id, account: of }, repositories_removed: removed } = Selection.parse(payload)
  if (action !== 'added' && action !== 'removed') return []
  return [{ kind: 'selection', installationId: id, account: { id: of.id, login: of.login }, action, removed: removed.map((each) => each.id) }]
}

function readPull(payload: unknown, slug: string | null): GithubEvent[] {
  const given = Pull.parse(payload)
  const { action, number, pull_request: pull } = given
  const at = pull.updated_at ?? null
  const activity = toActivity(given, 'pull', { number, ...(action === 'ready_for_review' ? { action: 'ready', at } : action === 'synchronize' ? { action: 'pushed', at } : {}) })
  // Another label says nothing about the summary.
  if (!isOneOf(pullActions, action) || ((action === 'labeled' || action === 'unlabeled') && given.label?.name !== skipLabel)) return [activity]
  const event: PullEvent = {
    kind: 'pull',
    ...toPlace(given),
    action,
    number,
    headSha: pull.head.sha,
    before: action === 'synchronize' ? (given.before ?? null) : null,
    state: pull.state,
    draft: pull.draft ?? false,
    skipped: isSkipped(pull),
    author: pull.user?.login ?? 'ghost',
  }
  const spoken = action === 'opened' ? readSpoken(given, slug, { surface: 'pull', number, commentId: number, rootId: null }, pull) : []
  return [event, ...spoken, activity]
}
const pullActions = [
  'opened', 'reopened', 'synchronize', 'ready_for_review', 'converted_to_draft', 'edited', 'labeled', 'unlabeled', 'closed',
] as const satisfies PullEvent['action'][]

function readIssue(payload: unknown, slug: string | null): GithubEvent[] {
  const given = Issue.parse(payload)
  const { number } = given.issue
  const isGone = given.action === 'deleted' || given.action === 'transferred'
  const spoken = given.action === 'opened' ? readSpoken(given, slug, { surface: 'issue', number, commentId: number, rootId: null }, given.issue) : []
  return [...spoken, toActivity(given, 'issue', { number, ...(isGone ? { action: 'gone' } : {}) })]
}

/** That something happened there; GitHub says what. */
function toActivity(place: Place, of: ActivityEvent['of'], more: Partial<Pick<ActivityEvent, 'number' | 'action' | 'at'>> = {}): ActivityEvent {
  return { kind: 'activity', ...toPlace(place), of, number: null, action: null, at: null, ...more }
}

function readIssueComment(payload: unknown, slug: string | null): GithubEvent[] {
  const given = IssueComment.parse(payload)
  if (given.action !== 'created') return []
  const surface = given.issue.pull_request ? ('pull' as const) : ('issue' as const)
  return readSpoken(given, slug, { surface, number: given.issue.number, commentId: given.comment.id, rootId: null }, given.comment)
}

function readReviewComment(payload: unknown, slug: string | null): GithubEvent[] {
  const given = ReviewComment.parse(payload)
  if (given.action !== 'created') return []
  const { id, in_reply_to_id: root } = given.comment
  return readSpoken(given, slug, { surface: 'review', number: given.pull_request.number, commentId: id, rootId: root ?? id }, given.comment)
}

type Said = { body: string | null; user: z.infer<typeof person> | null; html_url: string }
type Where = Pick<Extract<GithubEvent, { kind: 'mention' }>, 'surface' | 'number' | 'commentId' | 'rootId'>

/** Keeps what a person says to Nura. What anyone else says, and what bots say, Nura itself among them, is not kept. */
function readSpoken(place: Place, slug: string | null, where: Where, { body, user, html_url: url }: Said): GithubEvent[] {
  if (user === null || user.type !== 'User' || body === null) return []
  const { account: _, ...at } = toPlace(place)
  if (findMention(body, slug ?? 'nura')) {
    return [{ kind: 'mention', ...at, ...where, author: { id: user.id, login: user.login, type: user.type }, body, url }]
  }
  if (slug === null && /@[a-z0-9]/i.test(body)) {
    throw new NuraError('github-unavailable', 'GitHub has not said yet what this App is called, so it is not clear whether Nura is meant. Deliver it again.', { retryable: true })
  }
  return []
}

function isOneOf<const T extends string>(list: readonly T[], value: string): value is T {
  return (list as readonly string[]).includes(value)
}
