import type { TenantDb } from '#db/index.ts'
import { markAnswerTold, markChangedAnswers, untoldAnswers } from '#db/tenant/changed-answers.ts'

/** Most answers that one run lets be told of: a change of everything is no reason to write into every thread. */
const mostTold = 20
/** Answers among which those are looked for. */
const mostLookedAt = 2_000

/**
 * Marks the answers that cite what a run took out of the index, so that their readers are told; of many, the newest only.
 * @returns how many were marked
 */
export async function markOutdated(tenant: TenantDb, repositoryId: string, sha: string): Promise<number> {
  const marked = new Set(await markChangedAnswers(tenant, repositoryId, sha))
  if (marked.size <= mostTold) return marked.size
  const untold = (await untoldAnswers(tenant, mostLookedAt)).filter(({ id }) => marked.has(id))
  for (const { id } of untold.slice(mostTold)) await markAnswerTold(tenant, id)
  return marked.size
}
