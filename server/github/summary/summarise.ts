import { NuraError } from '#db/nura-error.ts'
import type { TenantDb } from '#db/index.ts'
import { findPullRequest, savePullRequest } from '#db/tenant/pull-requests.ts'
import type { PullRequest } from '#db/tenant/pull-requests.ts'
import { findRepository, updateRepository } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import type { Enqueue } from '#jobs/enqueue.ts'
import { toFailure } from '../../errors.ts'
import { toSettings } from '../../indexing/settings.ts'
import type { Logger } from '../../log.ts'
import type { ChatModel } from '../../models/chat-model.ts'
import type { Source } from '../../sources/source.ts'
import type { GithubApp } from '../app.ts'
import { hintSummary } from '../hints.ts'
import { toSummaryDelay } from '../note-pull.ts'
import { isWanted, readPull } from './pull.ts'
import type { Pull, PullPlace } from './pull.ts'
import { mayShow, showComment } from './show-comment.ts'
import type { CommentRig } from './show-comment.ts'
import { toRow, watchPull } from './watch-pull.ts'
import { writeSummary } from './write-summary.ts'
import { toOwnerAndRepo } from '../owner-and-repo.ts'
import type { ObserveParts } from '../../observe-call.ts'

export type SummaryParts = {
  github: GithubApp
  openSource(repository: Repository): Pick<Source, 'tree'>
  /** Chain of chat models; without a language model in it the summary is made of facts alone. */
  models: readonly ChatModel[]
  /** Most tokens of a tenant's day; null: no limit. */
  dayTokens: number | null
  enqueue: Enqueue
  metrics?: ObserveParts['metrics']
  /** Time between looks at what came in while a run is at work. */
  watchMs?: number
}

export type SummaryRequest = {
  repositoryId: string
  number: number
  signal: AbortSignal
  /** 1 for the first. */
  attempt: number
  /** A failure of this run is shown to people. */
  lastAttempt: boolean
  log: Logger
}

type Run = { parts: SummaryParts; tenant: TenantDb; repository: Repository; rig: CommentRig; request: SummaryRequest }

/**
 * Brings the one comment of a pull request to its present head: reads the head anew, makes the summary from the whole
 * difference, and shows it only if the head is still the same. May run any number of times.
 *
 * @throws NuraError `summary-too-soon` with `retryAt` when the last run began a moment ago; `github-rate-limited`; what failed,
 *   when another attempt may help
 */
export async function summarisePullRequest(parts: SummaryParts, tenant: TenantDb, request: SummaryRequest): Promise<void> {
  const repository = await findRepository(tenant, request.repositoryId)
  if (repository?.source !== 'github' || repository.installationId == null || repository.state === 'forgetting') return
  if (toSettings(repository.settings).summarise === false) return
  const known = await findPullRequest(tenant, repository.id, request.number)
  if (request.attempt === 1) keepDistance(parts, known)
  const { owner, repo } = toOwnerAndRepo(repository.location)
  const at: PullPlace = { owner, repo, number: request.number }
  const github = parts.github.as(repository.installationId)
  try {
    const pull = await readPull(github, at, request.signal)
    const row = await savePullRequest(tenant, { repositoryId: repository.id, number: request.number, ...toRow(pull) })
    if (!isWanted(pull) || isCurrent(row, pull)) return
    const { slug } = await parts.github.identity(request.signal)
    const rig = { github, at, slug, tenant, signal: request.signal }
    const shown = await mayShow(rig, row, toSettings(repository.settings).recreate)
    if (shown) await run({ parts, tenant, repository, rig, request }, shown.row, pull)
    else await savePullRequest(tenant, { repositoryId: repository.id, number: request.number, summarisedSha: pull.headSha })
  } catch (error) {
    // Nobody is left there to be told.
    if (error instanceof NuraError && (error.code === 'github-not-installed' || error.code === 'github-not-found')) return
    throw error
  }
}

/** Pushes that follow each other share a run, however many jobs they left. */
function keepDistance({ github }: SummaryParts, row: PullRequest | null): void {
  const next = row?.runStartedAt ? row.runStartedAt.getTime() + github.config.summaryIntervalMs : 0
  if (next > Date.now()) throw new NuraError('summary-too-soon', 'This pull request was summarised a moment ago.', { retryable: true, retryAt: new Date(next) })
}

function isCurrent(row: PullRequest, pull: Pull): boolean {
  return row.summarisedSha === pull.headSha && row.failedSha === null && (row.summary?.baseRef ?? pull.baseRef) === pull.baseRef
}

async function run({ parts, tenant, repository, rig, request }: Run, row: PullRequest, pull: Pull): Promise<void> {
  const { repositoryId, number } = row
  const uncertain = row.runStartedAt !== null
  const started = await savePullRequest(tenant, { repositoryId, number, runStartedAt: new Date() })
  const read = (signal: AbortSignal) => readPull(rig.github, rig.at, signal)
  const watch = watchPull(tenant, { repositoryId, number, headSha: pull.headSha, readPull: read, everyMs: parts.watchMs ?? 700, signal: request.signal, log: request.log })
  try {
    // One that was made and not shown, because GitHub was away then, is shown now.
    const isMade = row.summary?.sha === pull.headSha && (row.summary.baseRef ?? pull.baseRef) === pull.baseRef
    const made = isMade ? row.summary! : await writeSummary({ parts, tenant, repository, rig, request }, pull, watch.signal)
    const now = await read(request.signal)
    if (now.headSha !== pull.headSha || !isWanted(now)) return await again(parts, tenant, started, request.log)
    await savePullRequest(tenant, { repositoryId, number, summary: made })
    await showComment(rig, row, pull, withFault(made.markdown, repository), uncertain)
    await savePullRequest(tenant, { repositoryId, number, summarisedSha: pull.headSha, failedSha: null, failure: null })
    await tellFaultOnce(tenant, repository)
  } catch (error) {
    if (watch.isSuperseded() && !request.signal.aborted) return await again(parts, tenant, started, request.log)
    await fail({ parts, tenant, repository, rig, request }, row, pull, error, uncertain)
  } finally {
    watch.end()
  }
}

/** The pull request has moved on: what was made of its old head is thrown away. */
async function again(parts: SummaryParts, tenant: TenantDb, row: PullRequest, log: Logger): Promise<void> {
  await hintSummary(parts, tenant, row, toSummaryDelay(row, parts.github.config.summaryIntervalMs, new Date()), log)
}

/** Rethrows what another attempt may repair; else says so in the comment, once for each head, above the last good summary. */
async function fail({ tenant, rig, request }: Run, row: PullRequest, pull: Pull, error: unknown, uncertain: boolean): Promise<never> {
  const isLimit = error instanceof NuraError && error.retryAt !== undefined
  const { error: shown } = toFailure(error)
  if (request.signal.aborted || isLimit || (shown.retryable && !request.lastAttempt)) throw error
  const { repositoryId, number } = row
  request.log.error({ err: error, ref: shown.ref, repositoryId, number, tenantId: tenant.id }, 'pull request not summarised')
  if (row.failedSha !== pull.headSha) {
    const good = row.summary
    const notice = `> The summary of \`${pull.headSha.slice(0, 7)}\` failed (ref ${shown.ref}).${good ? ` Below is the one of \`${good.sha.slice(0, 7)}\`.` : ''}`
    try {
      await showComment(rig, row, pull, good ? `${notice}\n\n${good.markdown}` : notice, uncertain)
      await savePullRequest(tenant, { repositoryId, number, failedSha: pull.headSha, failure: shown.ref })
    } catch (untold) {
      request.log.error({ err: untold, ref: shown.ref, repositoryId, number }, 'failure of a summary not shown')
    }
  }
  throw error
}

function withFault(markdown: string, repository: Repository): string {
  return isFaultUntold(repository) ? `${markdown}\n\n${repository.settingsFault}` : markdown
}

async function tellFaultOnce(tenant: TenantDb, repository: Repository): Promise<void> {
  if (isFaultUntold(repository)) await updateRepository(tenant, repository.id, { settingsToldSha: repository.settingsSha })
}

function isFaultUntold({ settingsFault, settingsSha, settingsToldSha }: Repository): boolean {
  return settingsFault !== null && settingsToldSha !== settingsSha
}
