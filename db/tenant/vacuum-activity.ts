import { storeOf } from '../store.ts'
import type { TenantDb } from '../tenant-db.ts'
import { asOwner, asOwnerAlone } from './as-owner.ts'

const tables = ['activity_pull', 'activity_issue', 'activity_review', 'activity_release', 'activity_deployment', 'activity_team'].join(', ')

/**
 * For after many rows of what happened in repositories came at once: statistics decide whether its indexes are used, and only what
 * was vacuumed is read from an index alone. A server does so by itself, but a minute later; the embedded store never does, and
 * has statistics at least.
 */
export async function vacuumActivity(tenant: TenantDb): Promise<void> {
  if (storeOf(tenant).kind === 'postgres') await asOwnerAlone(tenant, [`vacuum (analyze) ${tables}`])
  else await asOwner(tenant, (tx) => tx.query(`analyze ${tables}`))
}
