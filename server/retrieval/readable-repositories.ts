import type { Db, TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { isKnown } from '#db/shared/readers.ts'
import { grantedSources } from '#db/tenant/grants.ts'
import { listRepositories } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import type { Audience } from './audience.ts'
import { decideReadable } from './decide-readable.ts'

/**
 * The repositories that an audience may be answered from, in order of name. Asked anew for every question, before any
 * text is read, and never remembered: a right that was taken back is gone with the next question.
 *
 * @throws NuraError `audience-unknown` when the rights cannot be read; nothing is retrieved then.
 */
export async function readableRepositories(db: Db, tenant: TenantDb, audience: Audience): Promise<Repository[]> {
  const reader = audience.kind === 'channel' || audience.kind === 'person' ? audience : null
  try {
    const [repositories, granted, known] = await Promise.all([
      listRepositories(tenant),
      reader ? grantedSources(tenant, reader) : [],
      reader ? isKnown(db, tenant.id, reader.kind, reader.id) : true,
    ])
    const grants = reader ? granted.map((repositoryId) => ({ repositoryId, readerKind: reader.kind, readerId: reader.id })) : []
    return decideReadable(
      audience,
      repositories.filter(({ state }) => state !== 'forgetting'),
      grants,
      known,
    )
  } catch (cause) {
    throw new NuraError('audience-unknown', 'Nura cannot check right now what may be shown here. Ask again in a minute.', {
      retryable: true,
      cause,
    })
  }
}
