import type { TenantDb } from '../tenant-db.ts'

/**
 * Marks the answers that cite something which this repository no longer holds, each once. A chunk that only moved is still
 * there: its row is the same, or another of the repository has the same key.
 * @returns their ids
 */
export async function markChangedAnswers(tenant: TenantDb, repositoryId: string, sha: string): Promise<string[]> {
  const rows = await tenant.transaction((tx) =>
    tx.query<{ id: string }>(
      `update answer set changed_sha = $2, changed_at = now(), told_at = null where changed_sha is null and expires_at > now() and id in (
         select c.answer_id from cited_chunk c join knowledge_base k on k.id = c.chunk_id
         where k.repository_id = $1 and k.gone_at is not null
           and not exists (select 1 from knowledge_base live where live.repository_id = $1 and live.chunk_key = c.chunk_key
             and live.embedding_model = k.embedding_model and live.gone_at is null)
       ) returning id`,
      [repositoryId, sha],
    ),
  )
  return rows.map(({ id }) => id)
}

/** Answers whose readers have not been told yet that something they cite has changed, newest first. */
export function untoldAnswers(tenant: TenantDb, limit: number): Promise<{ id: string; thread: string | null; changedSha: string }[]> {
  return tenant.transaction((tx) =>
    tx.query<{ id: string; thread: string | null; changedSha: string }>(
      `select a.id, t.key as thread, a.changed_sha as "changedSha" from answer a left join thread t on t.id = a.thread_id
       where a.changed_at is not null and a.told_at is null and a.expires_at > now() order by a.created_at desc limit $1`,
      [limit],
    ),
  )
}

/** Notes that the readers were told, or that there is nobody to tell. */
export async function markAnswerTold(tenant: TenantDb, id: string): Promise<void> {
  await tenant.transaction((tx) => tx.execute('update answer set told_at = now() where id = $1', [id]))
}

/** Whether no later answer was given in its thread; true for one outside any. */
export async function isNewestInThread(tenant: TenantDb, id: string): Promise<boolean> {
  const rows = await tenant.transaction((tx) =>
    tx.query(
      `select 1 from answer a join answer later on later.thread_id = a.thread_id and (later.created_at, later.id) > (a.created_at, a.id) where a.id = $1 limit 1`,
      [id],
    ),
  )
  return rows.length === 0
}
