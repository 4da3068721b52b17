import type { Repository } from '#db/tenant/repository.ts'
import type { Citation, Freshness } from './answer-part.ts'

/** The repositories that the answer drew from; all that were looked in when it drew from none. */
export function toFreshness(repositories: Repository[], citations: Citation[]): Freshness[] {
  const cited = new Set(citations.map(({ repository }) => repository))
  return repositories
    .filter(({ name }) => cited.size === 0 || cited.has(name))
    .flatMap(({ name, indexedSha, defaultBranch, indexedAt }) =>
      indexedSha && indexedAt ? [{ repository: name, sha: indexedSha, branch: defaultBranch ?? null, indexedAt: new Date(indexedAt).toISOString() }] : [],
    )
}
