import type { Db } from '../index.ts'
import { connectWorkspace } from './workspaces.ts'

/** The App in one account on GitHub. `deleted` ones are kept, so that what still arrives for them is known to be late. */
export type GithubInstallation = {
  id: number
  tenantId: string
  account: string
  accountId: number | null
  state: 'active' | 'suspended' | 'deleted'
  /** GitHub takes no call before this moment. */
  blockedUntil: Date | null
  sweptAt: Date | null
}

const columns = `id::float8 as id, tenant_id as "tenantId", account, account_id::float8 as "accountId", state, blocked_until as "blockedUntil", swept_at as "sweptAt"`

/**
 * Keeps an installation for its tenant, active again if it was not.
 * @throws NuraError `connected-elsewhere` when it belongs to another tenant
 */
export async function saveGithubInstallation(db: Db, given: Pick<GithubInstallation, 'id' | 'tenantId' | 'account' | 'accountId'>): Promise<void> {
  await connectWorkspace(db, given.tenantId, { surface: 'github', id: String(given.id) })
  await db.control((tx) =>
    tx.execute(
      `insert into github_installation (id, tenant_id, account, account_id) values ($1, $2, $3, $4)
       on conflict (id) do update set tenant_id = excluded.tenant_id, account = excluded.account,
         account_id = coalesce(excluded.account_id, github_installation.account_id), state = 'active', updated_at = now()`,
      [given.id, given.tenantId, given.account, given.accountId],
    ),
  )
}

export async function findGithubInstallation(db: Db, id: number): Promise<GithubInstallation | null> {
  const rows = await db.control((tx) => tx.query<GithubInstallation>(`select ${columns} from github_installation where id = $1`, [id]))
  return rows[0] ?? null
}

export function listGithubInstallations(db: Db, tenantId?: string): Promise<GithubInstallation[]> {
  return db.control((tx) =>
    tx.query<GithubInstallation>(`select ${columns} from github_installation where $1::uuid is null or tenant_id = $1 order by created_at, id`, [tenantId ?? null]),
  )
}

export async function setGithubInstallationState(db: Db, id: number, state: GithubInstallation['state']): Promise<void> {
  await db.control((tx) => tx.execute('update github_installation set state = $2, updated_at = now() where id = $1 and state <> $2', [id, state]))
}

/** Notes that GitHub takes no call before `until`; a later moment that is known already stays. */
export async function blockGithubInstallation(db: Db, id: number, until: Date): Promise<void> {
  await db.control((tx) => tx.execute('update github_installation set blocked_until = greatest(blocked_until, $2) where id = $1', [id, until]))
}

/**
 * Takes active installations that nobody has swept since, and marks them as swept: of several callers each gets others.
 * @returns them as they were: `sweptAt` is when they were swept before
 */
export function takeDueInstallations(db: Db, { sweptBefore, limit }: { sweptBefore: Date; limit: number }): Promise<GithubInstallation[]> {
  return db.control((tx) =>
    tx.query<GithubInstallation>(
      `with due as (
         select * from github_installation where state = 'active' and (swept_at is null or swept_at <= $1)
         order by swept_at nulls first limit $2 for update skip locked
       ), marked as (
         update github_installation set swept_at = now() where id in (select id from due)
       ) select ${columns} from due`,
      [sweptBefore, limit],
    ),
  )
}
