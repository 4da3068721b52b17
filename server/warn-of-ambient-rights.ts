import type { Db } from '#db/index.ts'
import { hasAmbientRights } from '#db/shared/ambient-rights.ts'
import type { Logger } from './log.ts'

/** Tells the operator at start when the database would show this process's login every tenant. Never fails: the database may come later. */
export async function warnOfAmbientRights(db: Db, log: Logger): Promise<void> {
  if (db.kind === 'embedded') return
  const ambient = await hasAmbientRights(db).catch(() => false)
  if (ambient) log.warn('DATABASE_URL logs in as a superuser, or as a role with the rights of tenants: PostgreSQL keeps tenants apart from each other only for an ordinary login. See docs/configuration.md, DATABASE_URL.')
}
