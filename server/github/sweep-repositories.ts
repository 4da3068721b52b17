import type { TenantDb } from '#db/index.ts'
import { listOpenPullRequests, savePullRequest } from '#db/tenant/pull-requests.ts'
import type { PullRequest } from '#db/tenant/pull-requests.ts'
import { listRepositories } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import type { Logger } from '../log.ts'
import { githubStatusOf } from './api-error.ts'
import type { GithubApp } from './app.ts'
import { hintActivity, hintSummary, hintSync } from './hints.ts'
import type { HintParts } from './hints.ts'
import { toSummaryDelay } from './note-pull.ts'
import { toOwnerAndRepo } from './owner-and-repo.ts'
import { isSkipped } from './read-delivery.ts'

export type RepositoriesParts = HintParts & { github: GithubApp; log: Logger }

/** What GitHub's clock and the database's may differ, milliseconds. */
const clocksMs = 60_000

/** Sweeps until a summary that failed is tried again: what was in its way may be gone, and a try costs tokens. */
const restSweeps = 12

type Octokit = ReturnType<GithubApp['as']>

/** Holds the heads of an installation's repositories and of their open pull requests against the rows. Where nothing was missed, every answer is a 304. */
export async function sweepRepositories(parts: RepositoriesParts, tenant: TenantDb, installationId: number, signal: AbortSignal): Promise<void> {
  const octokit = parts.github.as(installationId)
  for (const repository of await listRepositories(tenant)) {
    if (repository.installationId !== installationId || repository.state === 'forgetting') continue
    // What happens in it is read whether or not it is indexed yet, which may take hours.
    await hintActivity(parts, tenant, repository.id, parts.log)
    if (repository.state !== 'ready' && repository.state !== 'failed') continue
    const { owner, repo } = toOwnerAndRepo(repository.location)
    const head = await readHead(octokit, { owner, repo, branch: repository.defaultBranch ?? 'HEAD' }, signal)
    if (head === null) continue
    if (head !== repository.indexedSha) await hintSync(parts, tenant, repository.id, parts.log)
    if (repository.settings?.summarise !== false) await sweepPulls(parts, octokit, tenant, repository, { owner, repo }, signal)
  }
}

/** Null where there is nothing to compare: an empty repository, or one that went since it was listed. */
async function readHead(octokit: Octokit, { branch, ...at }: { owner: string; repo: string; branch: string }, signal: AbortSignal): Promise<string | null> {
  try {
    if (branch === 'HEAD') return (await octokit.rest.repos.getCommit({ ...at, ref: branch, request: { signal } })).data.sha
    return (await octokit.rest.git.getRef({ ...at, ref: `heads/${branch}`, request: { signal } })).data.object.sha
  } catch (error) {
    if ([404, 409, 422].includes(githubStatusOf(error) ?? 0)) return null
    throw error
  }
}

async function sweepPulls(parts: RepositoriesParts, octokit: Octokit, tenant: TenantDb, repository: Repository, at: { owner: string; repo: string }, signal: AbortSignal): Promise<void> {
  const pulls = await octokit.paginate(octokit.rest.pulls.list, { ...at, state: 'open', per_page: 100, request: { signal } })
  const known = new Map((await listOpenPullRequests(tenant, repository.id)).map((row) => [row.number, row]))
  for (const pull of pulls) {
    const row = known.get(pull.number) ?? null
    known.delete(pull.number)
    const seen = { headSha: pull.head.sha, draft: pull.draft ?? false, skipped: isSkipped(pull) }
    // One from before the repository was connected is left in peace until something happens in it.
    if (row === null && Date.parse(pull.created_at) < repository.createdAt.getTime() - clocksMs) continue
    if (row !== null && !isDue(row, seen, restSweeps * parts.github.config.sweepIntervalMs)) continue
    const isNews = row === null || row.headSha !== seen.headSha || row.draft !== seen.draft || row.skipped !== seen.skipped
    const saved = isNews ? await savePullRequest(tenant, { repositoryId: repository.id, number: pull.number, state: 'open', author: pull.user?.login ?? 'ghost', ...seen }) : row
    if (!seen.draft && !seen.skipped) await hintSummary(parts, tenant, saved, toSummaryDelay(saved, parts.github.config.summaryIntervalMs, new Date()), parts.log)
  }
  for (const { number } of known.values()) await savePullRequest(tenant, { repositoryId: repository.id, number, state: 'closed' })
}

/** Whether the row says something else than GitHub, or its summary is missing: the job that was to make it may be lost, or failed a while ago. */
function isDue(row: PullRequest, seen: Pick<PullRequest, 'headSha' | 'draft' | 'skipped'>, restMs: number): boolean {
  if (row.headSha !== seen.headSha || row.draft !== seen.draft || row.skipped !== seen.skipped) return true
  if (seen.draft || seen.skipped) return false
  if (row.failedSha === seen.headSha) return (row.runStartedAt?.getTime() ?? 0) + restMs <= Date.now()
  return row.summarisedSha !== seen.headSha && row.commentGoneSha !== seen.headSha
}
