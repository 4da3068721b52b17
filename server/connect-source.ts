import type { TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { addRepository, findRepository, updateRepository } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { assertKeepable, saveCredentials } from '#db/tenant/source-credentials.ts'
import type { SourceCredentials } from '#db/tenant/source-credentials.ts'

/** A wiki or tracker as an admin connects it. */
export type SiteConnection = Pick<Repository, 'source' | 'location' | 'name'> & {
  /** What of it is read, such as the key of a space. */
  place: string | null
  contentType: 'documentation' | 'business'
  audience: 'tenant' | 'granted'
  credentials: SourceCredentials
}

/**
 * Connects a wiki or tracker, or brings what is known of it up to date: a new token, other readers.
 * @throws NuraError `repository-exists` when another source has the name, `encryption-key-missing`
 */
export async function connectSource(tenant: TenantDb, { credentials, ...connection }: SiteConnection): Promise<Repository> {
  await assertKeepable(tenant)
  const known = await findRepository(tenant, connection.name)
  const { source, location, place, audience, contentType } = connection
  const isSame = known?.source === source && known.location === location && (known.place ?? null) === place
  if (known && (!isSame || known.state === 'forgetting')) {
    throw new NuraError('repository-exists', `name: ${known.name} is connected already, as another source. Name this one otherwise.`, { field: 'name' })
  }
  const repository = known ?? (await addRepository(tenant, connection))
  await saveCredentials(tenant, repository.id, credentials)
  // The sweeper of repositories finds it by its state, should the hint be lost.
  return updateRepository(tenant, repository.id, { audience, contentType, state: 'new', error: null })
}
