import type { Repository } from '#db/tenant/repository.ts'
import type { GraphParts } from './agents/graph-state.ts'
import type { Passage } from './retrieval/passage.ts'
import type { Source } from './sources/source.ts'
import { within } from './within.ts'

export type ChangedAtParts = { openSource?: ((repository: Repository) => Source) | undefined }

/** Longest that a source is waited for, milliseconds: a date is worth less than an answer in time. */
const patienceMs = 1_000

/** When the files of passages were last committed to, or their pages changed; those whose source does not say are left out. Never throws. */
export function createChangedAt({ openSource }: ChangedAtParts, repositories: ReadonlyMap<string, Repository>, signal: AbortSignal): NonNullable<GraphParts['changedAt']> {
  async function read(passage: Passage): Promise<Date | null> {
    if (passage.changedAt) return passage.changedAt
    const repository = repositories.get(passage.repositoryId)
    if (!repository || !openSource) return null
    const asked = openSource(repository).committers?.([passage.path], passage.sha, signal) ?? Promise.resolve([])
    return (await within(asked, patienceMs))?.[0]?.at ?? null
  }
  return async (passages) => {
    const dates = await Promise.all(passages.map(async (passage) => [passage.n, await read(passage).catch(() => null)] as const))
    return new Map(dates.filter((entry): entry is readonly [number, Date] => entry[1] !== null))
  }
}
