import type { Db } from '../index.ts'

/** What a state was given out for, and to whom: `reader` is a person such as `slack:T0123:U0456`. */
export type GithubState = { tenantId: string; purpose: 'installation' | 'person'; reader: string | null }

/** Notes the (hashed) state of a connection that begins, and forgets those that were never completed. */
export async function issueGithubState(db: Db, { id, tenantId, purpose, reader, expiresAt }: GithubState & { id: string; expiresAt: Date }): Promise<void> {
  await db.control(async (tx) => {
    await tx.execute('delete from github_state where expires_at < now()')
    await tx.execute('insert into github_state (id, tenant_id, purpose, reader, expires_at) values ($1, $2, $3, $4, $5)', [id, tenantId, purpose, reader, expiresAt])
  })
}

/** Uses a state up. Of any number of callers one gets it, and only before it expires. */
export async function useGithubState(db: Db, id: string, now: Date): Promise<GithubState | null> {
  const rows = await db.control((tx) =>
    tx.query<GithubState>('delete from github_state where id = $1 and expires_at > $2 returning tenant_id as "tenantId", purpose, reader', [id, now]),
  )
  return rows[0] ?? null
}
