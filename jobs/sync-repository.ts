import { z } from 'zod'
import type { Db, TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { exclusively } from '#db/shared/exclusive.ts'
import { findGithubInstallation } from '#db/shared/github-installations.ts'
import { findRepository, updateRepository } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { toFailure } from '#server/errors.ts'
import { toSyncKey } from '#server/indexing/sync-key.ts'
import type { Logger } from '#server/log.ts'
import type { Metrics } from '#server/metrics.ts'
import { polledKinds } from '#server/sources/index.ts'
import { outageCodes } from '#server/sources/site-error.ts'
import type { Source } from '#server/sources/source.ts'
import type { SpanAttributes } from '#server/tracing/attributes.ts'
import { inSpan } from '#server/tracing/span.ts'
import type { Enqueue } from './enqueue.ts'
import { defineJob } from './job.ts'
import type { JobContext } from './job.ts'

export type SyncParts = {
  db: Db
  enqueue: Enqueue
  log: Logger
  metrics: Pick<Metrics, 'indexing'>
  openSource(repository: Repository, owner: { tenant: TenantDb }): Source
  /** Brings the index to the source's head; one transaction a file or a few, so that it may be cut off anywhere. */
  indexSource(tenant: TenantDb, repository: { id: string }, source: Source, options: { signal: AbortSignal }): Promise<unknown>
}

/** Milliseconds before a run looks again whether the other one has ended. */
const busyMs = 500

/** Brings the index of a repository to the head of its source. Runs once at a time for each repository. */
export const syncRepository = defineJob({
  name: 'sync-repository',
  payload: z.strictObject({ tenantId: z.uuid(), repositoryId: z.uuid() }),
  options: { attempts: 8, backoffMs: 5_000, concurrency: 3, perTenant: 2 },
  async run({ tenantId, repositoryId }, parts: SyncParts, context) {
    context.signal.throwIfAborted()
    const tenant = await parts.db.tenant(tenantId)
    const repository = await findRepository(tenant, repositoryId)
    if (!repository) throw new NuraError('unknown-repository', 'The tenant has no such repository.')
    if (repository.state === 'forgetting' || !(await mayRead(parts.db, repository))) return
    const ran = await exclusively(parts.db, toSyncKey(tenantId, repositoryId), () => sync(tenant, repository, parts, context))
    // Most often it is a sweeper's look at whether anybody is at work, which takes no time.
    if (!ran) throw new NuraError('sync-running', 'The repository is being indexed by another process.', { retryable: true, retryAt: new Date(Date.now() + busyMs) })
  },
})

/** A suspended or deleted installation of GitHub's is not called. */
async function mayRead(db: Db, { source, installationId }: Repository): Promise<boolean> {
  if (source !== 'github' || installationId == null) return true
  return (await findGithubInstallation(db, installationId))?.state === 'active'
}

async function sync(tenant: TenantDb, repository: Repository, parts: SyncParts, { signal, lastAttempt }: JobContext): Promise<void> {
  await updateRepository(tenant, repository.id, { state: 'indexing' })
  const ended = parts.metrics.indexing.start()
  try {
    await inSpan('index source', { 'nura.tenant': tenant.id }, async (span) => {
      span.set(toCounts(await parts.indexSource(tenant, repository, parts.openSource(repository, { tenant }), { signal })))
    })
    const after = await findRepository(tenant, repository.id)
    if (after?.state === 'indexing') await updateRepository(tenant, repository.id, { state: 'ready', error: null })
    if (isPolled(repository)) await noteLook(tenant, repository.id, { failingSince: null })
  } catch (error) {
    // Cut off by a stop: the state still says that there is work, and the next run goes on where this one was.
    if (signal.aborted) throw error
    if (await isElsewhere(error, tenant, repository, parts)) return
    if (await isOutage(error, tenant, repository, parts)) throw error
    const { error: shown } = toFailure(error)
    const isFinal = !(error instanceof NuraError && error.retryAt) && (lastAttempt || !shown.retryable)
    await setFailed(tenant, repository.id, { error: `${shown.message} (${shown.ref})`, ...(isFinal ? { state: 'failed' as const } : {}) })
    parts.log[isFinal ? 'error' : 'warn']({ err: error, ref: shown.ref, repositoryId: repository.id, tenantId: tenant.id }, 'repository not indexed')
    // What the source's owner must repair is written where they look; running again or waiting would not help.
    if (shown.retryable) throw error
  } finally {
    ended()
  }
}

/** GitHub has changed under the run, and what is to become of the repository is read from there: until then it stays as it was. */
async function isElsewhere(error: unknown, tenant: TenantDb, { id, indexedSha, installationId }: Repository, { enqueue }: SyncParts): Promise<boolean> {
  if (installationId == null || indexedSha == null || !(error instanceof NuraError) || !elsewhere.has(error.code)) return false
  await updateRepository(tenant, id, { state: 'ready' })
  await enqueue('sync-installation', { tenantId: tenant.id, installationId }, { dedupe: String(installationId) })
  return true
}
const elsewhere = new Set(['github-not-installed', 'repository-moved', 'repository-gone'])

/** A site that does not answer keeps what was indexed of it in force, and says since when; waiting for it is the queue's work. */
async function isOutage(error: unknown, tenant: TenantDb, repository: Repository, { log }: SyncParts): Promise<boolean> {
  if (!isPolled(repository)) return false
  const isAway = error instanceof NuraError && outageCodes.has(error.code)
  await noteLook(tenant, repository.id, isAway ? {} : { failingSince: null })
  if (!isAway) return false
  const since = new Date(repository.failingSince ?? Date.now())
  const { id, indexedSha } = repository
  const kept = indexedSha == null ? 'Nura goes on trying by itself.' : 'What was indexed before still answers, and Nura goes on trying by itself.'
  const told = `${error.message.replace(/\.$/, '')} since ${since.toISOString().slice(0, 16).replace('T', ' ')} UTC. ${kept}`
  await setFailed(tenant, id, { error: told, failingSince: since, ...(indexedSha == null ? {} : { state: 'ready' }) })
  log.warn({ code: error.code, since, repositoryId: id, tenantId: tenant.id }, 'source does not answer')
  return true
}

function isPolled({ source }: Repository): boolean {
  return polledKinds.includes(source)
}

/** When it was last asked, whatever it answered: the clock that asks it again goes by this. */
async function noteLook(tenant: TenantDb, id: string, change: { failingSince?: null }): Promise<void> {
  if (await findRepository(tenant, id)) await updateRepository(tenant, id, { lookedAt: new Date(), ...change })
}

function toCounts(report: unknown): SpanAttributes {
  const { files, kept, moved, removed, chunks, embedded, reused } = (report ?? {}) as Partial<Record<string, number>>
  return { 'nura.files': files, 'nura.kept': kept, 'nura.moved': moved, 'nura.removed': removed, 'nura.chunks': chunks, 'nura.embedded': embedded, 'nura.reused': reused }
}

/** The repository may have been forgotten meanwhile; then there is nobody to tell. */
async function setFailed(tenant: TenantDb, id: string, change: { error: string; state?: 'failed' | 'ready'; failingSince?: Date }): Promise<void> {
  const now = await findRepository(tenant, id)
  if (now && now.state !== 'forgetting') await updateRepository(tenant, id, change)
}
