import type { Db, TenantDb } from '#db/index.ts'
import { setGithubInstallationState } from '#db/shared/github-installations.ts'
import { listRepositories, updateRepository } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import type { Logger } from '../log.ts'
import type { InstallationEvent, RepositoryEvent, SelectionEvent } from './github-event.ts'
import { hintForget, hintInstallation, hintSync } from './hints.ts'
import type { HintParts } from './hints.ts'

export type LifecycleParts = HintParts & { db: Db }

/** A suspended or deleted installation is not called any more; one that comes back is asked of GitHub first. */
export async function changeInstallation(parts: LifecycleParts, tenant: TenantDb, { action, installationId }: InstallationEvent, log: Logger): Promise<string> {
  if (action === 'deleted') {
    await setGithubInstallationState(parts.db, installationId, 'deleted')
    return forgetAll(parts, tenant, await listOf(tenant, installationId), log)
  }
  if (action === 'suspend') {
    await setGithubInstallationState(parts.db, installationId, 'suspended')
    return 'noted:suspended'
  }
  await hintInstallation(parts, tenant, installationId, log)
  return 'queued:sync-installation'
}

/** Repositories that the installation lost answer no question from now on. */
export async function changeSelection(parts: LifecycleParts, tenant: TenantDb, event: SelectionEvent, log: Logger): Promise<string> {
  if (event.action === 'added') {
    await hintInstallation(parts, tenant, event.installationId, log)
    return 'queued:sync-installation'
  }
  const removed = new Set(event.removed)
  const lost = (await listOf(tenant, event.installationId)).filter(({ externalId }) => externalId != null && removed.has(externalId))
  return forgetAll(parts, tenant, lost, log)
}

export async function changeRepository(parts: LifecycleParts, tenant: TenantDb, repository: Repository | null, event: RepositoryEvent, log: Logger): Promise<string> {
  const { action, installationId } = event
  if (action === 'deleted') return forgetAll(parts, tenant, repository === null ? [] : [repository], log)
  if (action === 'privatized' && repository !== null) {
    await updateRepository(tenant, repository.id, { isPublic: false })
    return 'noted:private'
  }
  if (action === 'default-branch' && repository !== null && repository.state !== 'forgetting') {
    await hintSync(parts, tenant, repository.id, log)
    return 'queued:sync-repository'
  }
  await hintInstallation(parts, tenant, installationId, log)
  return 'queued:sync-installation'
}

/** Marks repositories as gone, which ends their answers at once, and has them emptied. */
export async function forgetAll(parts: HintParts, tenant: TenantDb, repositories: Pick<Repository, 'id' | 'state'>[], log: Logger): Promise<string> {
  for (const { id, state } of repositories) {
    if (state !== 'forgetting') await updateRepository(tenant, id, { state: 'forgetting' })
    await hintForget(parts, tenant, id, log)
  }
  return repositories.length === 0 ? 'ignored:unknown' : 'queued:forget-repository'
}

async function listOf(tenant: TenantDb, installationId: number): Promise<Repository[]> {
  return (await listRepositories(tenant)).filter((repository) => repository.source === 'github' && repository.installationId === installationId)
}
