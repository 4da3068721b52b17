import type { Db, TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { isKnown } from '#db/shared/readers.ts'
import { grantedSources } from '#db/tenant/grants.ts'
import { listRepositories } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import type { DecidedAudience } from './audience.ts'
import { decideReadable } from './decide-readable.ts'

export type ReadableParts = {
  db: Db
  /**
   * Ids of those repositories that the GitHub account linked to a person may read on GitHub now; what cannot be told is not
   * among them. Absent where GitHub is not configured: then nobody may.
   */
  mayReadOnGithub?: (tenant: TenantDb, reader: string, repositories: Repository[]) => Promise<ReadonlySet<string>>
}

/**
 * The repositories that an audience may be answered from, in order of name. Asked anew for every question, before any
 * text is read, and never remembered: a right that was taken back is gone with the next question.
 *
 * @throws NuraError `audience-unknown` when the rights cannot be read; nothing is retrieved then.
 */
export async function readableRepositories({ db, mayReadOnGithub }: ReadableParts, tenant: TenantDb, audience: DecidedAudience): Promise<Repository[]> {
  const reader = audience.kind === 'channel' || audience.kind === 'person' ? audience : null
  try {
    const [all, granted, known] = await Promise.all([
      listRepositories(tenant),
      reader ? grantedSources(tenant, reader) : [],
      reader ? isKnown(db, tenant.id, reader.kind, reader.id) : true,
    ])
    const grants = reader ? granted.map((repositoryId) => ({ repositoryId, readerKind: reader.kind, readerId: reader.id })) : []
    const repositories = all.filter(({ state }) => state !== 'forgetting')
    const asked = repositories.filter((repository) => repository.audience === 'github' && !repository.isPublic)
    const onGithub = audience.kind === 'person' && known && asked.length > 0 ? await mayReadOnGithub?.(tenant, audience.id, asked) : undefined
    return decideReadable(audience, repositories, grants, known, onGithub)
  } catch (cause) {
    throw new NuraError('audience-unknown', 'Nura cannot check right now what may be shown here. Ask again in a minute.', {
      retryable: true,
      cause,
    })
  }
}
