import type { TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { addRepository, findRepository } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'

/**
 * The library of this name, made where there is none.
 * @param audience of a new one `tenant` unless said; who may be answered from one that is there is not changed by the way
 * @throws NuraError `conflict`
 */
export async function openLibrary(tenant: TenantDb, { name, audience }: { name: string; audience?: 'tenant' | 'granted' | undefined }): Promise<Repository> {
  const known = await findRepository(tenant, name)
  if (known) return check(known, audience)
  try {
    return await addRepository(tenant, { name, source: 'documents', location: 'documents', audience: audience ?? 'tenant', contentType: 'business' })
  } catch (error) {
    // Somebody else made it in the same moment.
    const made = error instanceof NuraError && error.code === 'repository-exists' ? await findRepository(tenant, name) : null
    if (!made) throw error
    return check(made, audience)
  }
}

function check(library: Repository, audience: 'tenant' | 'granted' | undefined): Repository {
  const { name, source, state } = library
  if (source !== 'documents') throw new NuraError('conflict', `library: ${name} is a source of its own and takes no documents. Name another library.`, { field: 'library' })
  if (state === 'forgetting') throw new NuraError('conflict', `library: ${name} is being removed. Try again in a moment, or name another one.`, { field: 'library', retryable: true })
  if (audience !== undefined && audience !== library.audience) {
    throw new NuraError('conflict', `audience: the library ${name} answers ${library.audience === 'tenant' ? 'everyone in the tenant' : 'only whom it is granted to'}. Name another library, or let the operator change this one: npm run tenant -- audience.`, { field: 'audience' })
  }
  return library
}
