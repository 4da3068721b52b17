import type { DeploymentRow, IssueRow, PullRow, ReleaseRow, ReviewRow } from '#db/tenant/activity-rows.ts'
import { redact } from '../../indexing/redact.ts'

type Account = { login: string; type?: string } | null | undefined
type Labels = ({ name?: string } | string)[]
type Milestone = { title: string } | null | undefined

/** Whoever left GitHub is called `ghost` there. */
function toDone(user: Account): { author: string; isBot: boolean } {
  return { author: user?.login ?? 'ghost', isBot: user?.type === 'Bot' }
}
function toLabels(labels: Labels): string[] {
  return labels.flatMap((label) => (typeof label === 'string' ? label : (label.name ?? [])))
}
const toDate = (time: string | null | undefined) => (time ? new Date(time) : null)
const clean = async (text: string) => (await redact(text)).text

type GivenThread = {
  number: number; title: string; user: Account; state: string; created_at: string; closed_at?: string | null; updated_at: string; labels: Labels; milestone?: Milestone; html_url: string
}

async function toThread(given: GivenThread) {
  return {
    ...toDone(given.user), number: given.number, title: await clean(given.title), state: given.state === 'open' ? ('open' as const) : ('closed' as const),
    createdAt: new Date(given.created_at), closedAt: toDate(given.closed_at), updatedAt: new Date(given.updated_at),
    labels: toLabels(given.labels), milestone: given.milestone ? await clean(given.milestone.title) : null, url: given.html_url,
  }
}

export function toIssueRow(given: GivenThread): Promise<IssueRow> {
  return toThread(given)
}

type GivenPull = GivenThread & {
  draft?: boolean; merged_at?: string | null; base: { ref: string }; head: { ref: string }
  requested_reviewers?: ({ login: string } | null)[] | null; requested_teams?: { slug: string }[] | null
}

export async function toPullRow(given: GivenPull): Promise<PullRow> {
  return {
    ...(await toThread(given)), draft: given.draft ?? false, mergedAt: toDate(given.merged_at), baseRef: given.base.ref, headRef: given.head.ref,
    requestedReviewers: (given.requested_reviewers ?? []).flatMap((each) => each?.login ?? []), requestedTeams: (given.requested_teams ?? []).map(({ slug }) => slug),
  }
}

const verdicts: Record<string, ReviewRow['verdict']> = { APPROVED: 'approved', CHANGES_REQUESTED: 'changes-requested', COMMENTED: 'commented', DISMISSED: 'dismissed' }

/** Null for one that is still being written. */
export function toReviewRow(number: number, given: { id: number; user: Account; state: string; submitted_at?: string | null }): ReviewRow | null {
  const verdict = verdicts[given.state.toUpperCase()]
  return verdict && given.submitted_at ? { ...toDone(given.user), id: given.id, number, verdict, submittedAt: new Date(given.submitted_at) } : null
}

type GivenRelease = { id: number; tag_name: string; name?: string | null; author?: Account; draft: boolean; prerelease: boolean; published_at?: string | null; updated_at?: string | null; html_url: string }

/** Null for a draft, which nobody outside sees. */
export async function toReleaseRow(given: GivenRelease): Promise<ReleaseRow | null> {
  if (given.draft || !given.published_at) return null
  const publishedAt = new Date(given.published_at)
  return { ...toDone(given.author), id: given.id, tag: given.tag_name, name: await clean(given.name ?? ''), prerelease: given.prerelease, publishedAt, updatedAt: toDate(given.updated_at) ?? publishedAt, url: given.html_url }
}

const deploymentStates: Record<string, DeploymentRow['state']> = { success: 'succeeded', failure: 'failed', error: 'failed', inactive: 'inactive' }

type GivenDeployment = { id: number; environment: string; ref: string; creator?: Account; created_at: string; updated_at: string }

/** @param statuses of the deployment, newest first */
export function toDeploymentRow(given: GivenDeployment, statuses: { state: string; created_at: string }[]): DeploymentRow {
  const ended = statuses.findLast(({ state }) => deploymentStates[state] !== undefined)
  const updatedAt = new Date(Math.max(Date.parse(given.updated_at), ...statuses.map(({ created_at: at }) => Date.parse(at))))
  return {
    ...toDone(given.creator), id: given.id, environment: given.environment, ref: given.ref, state: deploymentStates[statuses[0]?.state ?? ''] ?? 'waiting',
    createdAt: new Date(given.created_at), endedAt: toDate(ended?.created_at), updatedAt,
  }
}
