import type { TenantDb } from '../tenant-db.ts'
import { readTenant } from '../transaction.ts'
import type { Answer } from './answer.ts'

/** An answer that somebody found bad. */
export type ThumbsDown = Pick<Answer, 'id' | 'question' | 'agent' | 'markdown' | 'abstained' | 'citations' | 'trace' | 'evidence' | 'asked' | 'createdAt'> & {
  /** The thread that it was given in; null for one outside any. */
  thread: string | null
  /** How many found it bad, and the reasons that they gave. */
  people: number
  reasons: string[]
}

/** The answers that somebody found bad and that are kept, the newest first. Who did is not told. */
export function readThumbsDown(tenant: TenantDb, limit: number): Promise<ThumbsDown[]> {
  return readTenant(tenant, (tx) =>
    tx.query<ThumbsDown>(
      `select a.id, a.question, a.agent, a.markdown, a.abstained, a.citations, a.trace, a.evidence, a.asked, a.created_at as "createdAt", t.key as thread,
         count(*)::int as people, coalesce(array_agg(distinct f.reason order by f.reason) filter (where f.reason is not null), '{}') as reasons
       from feedback f join answer a on a.id = f.answer_id left join thread t on t.id = a.thread_id
       where f.verdict = 'down' and a.expires_at > now() group by a.id, t.key order by a.created_at desc, a.id limit $1`,
      [limit],
    ),
  )
}

/** The turns of its thread before an answer that are still kept, oldest first. */
export async function turnsBefore(tenant: TenantDb, answerId: string, limit: number): Promise<Pick<Answer, 'question' | 'markdown' | 'abstained'>[]> {
  const newest = await readTenant(tenant, (tx) =>
    tx.query<Pick<Answer, 'question' | 'markdown' | 'abstained'>>(
      `select earlier.question, earlier.markdown, earlier.abstained from answer a join answer earlier on earlier.thread_id = a.thread_id
         and (earlier.created_at, earlier.id) < (a.created_at, a.id) and earlier.expires_at > now()
       where a.id = $1 order by earlier.created_at desc, earlier.id desc limit $2`,
      [answerId, limit],
    ),
  )
  return newest.reverse()
}

/** What became of what an answer cites: it stands as it was, its file has other text there, the file is gone, or its whole repository is. */
export type Fate = 'stands' | 'changed' | 'file-gone' | 'repository-gone'

/** By number. A citation that no chunk stands behind, such as a list that was counted, is left out. */
export async function fatesOfCited(tenant: TenantDb, answerId: string): Promise<Map<number, Fate>> {
  const rows = await readTenant(tenant, (tx) =>
    tx.query<{ n: number; fate: Fate }>(
      `select c.n, case
           when exists (select 1 from knowledge_base k join repository r on r.id = k.repository_id
             where k.gone_at is null and r.state <> 'forgetting' and r.name = told.repository and (k.id = c.chunk_id or k.chunk_key = c.chunk_key)) then 'stands'
           when r.id is null then 'repository-gone'
           when exists (select 1 from file f where f.repository_id = r.id and f.path = told.path) then 'changed'
           else 'file-gone' end as fate
       from answer a join cited_chunk c on c.answer_id = a.id
       join lateral jsonb_to_recordset(a.citations) as told (n int, repository text, path text) on told.n = c.n
       left join repository r on r.name = told.repository and r.state <> 'forgetting'
       where a.id = $1 order by c.n`,
      [answerId],
    ),
  )
  return new Map(rows.map(({ n, fate }) => [n, fate]))
}
