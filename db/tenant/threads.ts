import { randomUUID } from 'node:crypto'
import { wrap } from '@mikro-orm/core'
import type { TenantDb } from '../tenant-db.ts'
import { Thread } from './thread.ts'

/** A thread is forgotten so long after its last change. */
export const threadLastsMs = 30 * 24 * 60 * 60_000

export function findThread(tenant: TenantDb, key: string): Promise<Thread | null> {
  return tenant.transaction(async ({ em }) => {
    const found = await em.findOne(Thread, { key, expiresAt: { $gt: new Date() } })
    return found && (wrap(found).toPOJO() as unknown as Thread)
  })
}

/** Creates a thread or changes what is given of it, and prolongs it. */
export async function saveThread(
  tenant: TenantDb,
  thread: { key: string; surface: string } & Partial<Pick<Thread, 'subscribed' | 'muted' | 'agent'>>,
): Promise<Thread> {
  const [subscribed, muted, agent] = [thread.subscribed ?? null, thread.muted ?? null, thread.agent ?? null]
  await tenant.transaction((tx) =>
    tx.execute(
      `insert into thread (id, key, surface, subscribed, muted, agent, expires_at) values ($1, $2, $3, coalesce($4, false), coalesce($5, false), $6, $7)
       on conflict (key) do update set subscribed = coalesce($4, thread.subscribed), muted = coalesce($5, thread.muted),
         agent = coalesce($6, thread.agent), updated_at = now(), expires_at = excluded.expires_at`,
      [randomUUID(), thread.key, thread.surface, subscribed, muted, agent, new Date(Date.now() + threadLastsMs)],
    ),
  )
  return (await findThread(tenant, thread.key))!
}

/** Deletes a thread with its answers. */
export async function deleteThread(tenant: TenantDb, key: string): Promise<boolean> {
  return (await tenant.transaction((tx) => tx.execute('delete from thread where key = $1', [key]))) > 0
}

/** Deletes threads and answers whose time is over. @returns how many */
export function purgeExpired(tenant: TenantDb, now: Date): Promise<{ threads: number; answers: number }> {
  return tenant.transaction(async (tx) => ({
    answers: await tx.execute('delete from answer where expires_at <= $1', [now]),
    threads: await tx.execute('delete from thread where expires_at <= $1', [now]),
  }))
}
