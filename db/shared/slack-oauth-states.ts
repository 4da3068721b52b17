import type { Db } from '../index.ts'

/** Notes the (hashed) state of an installation that begins, and forgets those that were never completed. */
export async function issueState(db: Db, id: string, expiresAt: Date): Promise<void> {
  await db.control(async (tx) => {
    await tx.execute('delete from slack_oauth_state where expires_at < now()')
    await tx.execute('insert into slack_oauth_state (id, expires_at) values ($1, $2)', [id, expiresAt])
  })
}

/** Uses a state up. Of any number of callers one gets true, and only before it expires. */
export async function useState(db: Db, id: string, now: Date): Promise<boolean> {
  return (await db.control((tx) => tx.execute('delete from slack_oauth_state where id = $1 and expires_at > $2', [id, now]))) > 0
}
