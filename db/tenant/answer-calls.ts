import type { TenantDb } from '../tenant-db.ts'

/**
 * Notes that people are called for what an answer did not find. Of any number of callers one wins, and wins again when it
 * asks again.
 * @param by who calls, such as the id of the row that asked for it
 * @returns false when somebody else called before, or the answer is no longer kept
 */
export async function claimCall(tenant: TenantDb, answerId: string, by: string): Promise<boolean> {
  const changed = await tenant.transaction((tx) =>
    tx.execute(
      `update answer set trace = trace || jsonb_build_object('calledBy', $2::text) where id = $1 and coalesce(trace->>'calledBy', $2) = $2 and expires_at > now()`,
      [answerId, by],
    ),
  )
  return changed > 0
}
