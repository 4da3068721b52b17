import type { Db } from '../index.ts'

/**
 * Whether a session of this login reads tenants' tables before it takes on a role: as a superuser, or because somebody granted
 * it a role with its rights. A mistake in one statement would then have no wall before it. Of the embedded store's own session
 * this is true always, and nobody else has one.
 */
export async function hasAmbientRights(db: Db): Promise<boolean> {
  const [found] = await db.control((tx) =>
    tx.query<{ ambient: boolean }>(
      `select bool_or(pg_has_role(session_user, oid, 'usage')) as ambient from pg_roles where rolname in ('nura_owner', 'nura_control') or rolname in (select schema_name from tenant)`,
    ),
  )
  return found?.ambient ?? false
}
