import { existsSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Db, TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { exclusively } from '#db/shared/exclusive.ts'
import { findRepository, findRepositoryAt, updateRepository } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { toSyncKey } from '#server/indexing/sync-key.ts'
import { connectRepository } from '#server/connect-repository.ts'
import type { Core } from '#server/create-core.ts'
import type { IndexReport } from '#server/indexing/index-changes.ts'
import { createGitSource } from '#server/sources/git.ts'
import { findGitRoot } from '#server/sources/git-root.ts'
import type { Head } from '#server/sources/source.ts'
import { createProgress } from './progress.ts'

/** `report` is null where an embedding model is away: the index stays as it was, and the sync waits for the model. */
export type IndexedCheckout = { repository: Repository; report: IndexReport | null; waiting: NuraError | null }

/** `quiet`: nothing is said of a run that has little to do. */
export type IndexingOptions = { out: NodeJS.WriteStream; signal: AbortSignal; quiet?: boolean }

/** Changes that take no time worth a word. */
const few = 20

/**
 * Connects the git checkout that `dir` is in and brings its index to the head, showing how far it is.
 * @param dir absolute path.
 * @throws NuraError `not-a-repository`, `empty-repository`, `repository-exists`, `sync-running`
 */
export async function indexCheckout(core: Pick<Core, 'indexSource'>, db: Db, tenant: TenantDb, dir: string, options: IndexingOptions): Promise<IndexedCheckout> {
  const location = await findGitRoot(dir, options.signal)
  const source = createGitSource(location)
  const head = await source.head(options.signal)
  const known = (await findRepositoryAt(tenant, location)) ?? (await takeOver(tenant, head.name, location))
  const name = known?.name ?? (await toFreeName(tenant, head, location))
  const repository = await connectRepository(tenant, head, { name, location, audience: known?.audience ?? 'tenant', isPublic: known?.isPublic ?? false })
  const progress = createProgress(`Indexing ${repository.name}`, options.out)
  let report: IndexReport | null = null
  let waiting: NuraError | null = null
  const ran = await exclusively(db, toSyncKey(tenant.id, repository.id), async () => {
    try {
      report = await core.indexSource(tenant, repository, source, { onProgress: (at) => (options.quiet && at.total <= few ? undefined : progress.show(at)), signal: options.signal })
    } catch (error) {
      if (!(error instanceof NuraError && error.code === 'model-unavailable')) throw error
      waiting = error
    }
  }).finally(progress.finish)
  if (!ran) throw new NuraError('sync-running', `${repository.name} is being indexed by another process. Try again when that is done.`, { retryable: true })
  return { repository, report, waiting }
}

/** A checkout that was moved keeps its index. */
async function takeOver(tenant: TenantDb, name: string, location: string): Promise<Repository | null> {
  const namesake = await findRepository(tenant, name)
  return namesake && !existsSync(namesake.location) ? updateRepository(tenant, namesake.id, { location }) : null
}

/** A second checkout of one remote is told apart by its folders. */
async function toFreeName(tenant: TenantDb, head: Head, location: string): Promise<string> {
  return (await findRepository(tenant, head.name)) ? `${basename(dirname(location))}/${basename(location)}` : head.name
}
