import type { TenantDb } from '#db/index.ts'
import { addRepository, findRepository, updateRepository } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import type { Head } from './sources/source.ts'

export type Connection = { name?: string | undefined; location: string; audience: Repository['audience']; isPublic: boolean }

/**
 * Connects a checkout, or brings what is known of it up to date: the same folder under the same name is the same repository.
 * @throws NuraError `repository-exists` when another folder has the name
 */
export async function connectRepository(tenant: TenantDb, head: Head, { name = head.name, location, audience, isPublic }: Connection): Promise<Repository> {
  const known = await findRepository(tenant, name)
  if (known?.location === location && known.state !== 'forgetting') {
    return updateRepository(tenant, known.id, { audience, isPublic, state: known.state === 'failed' ? 'new' : known.state })
  }
  return addRepository(tenant, { name, source: 'git', location, url: head.url, defaultBranch: head.branch, audience, isPublic })
}
