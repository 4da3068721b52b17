import { createHash } from 'node:crypto'
import { readAtOnce } from '../at-once.ts'
import type { TenantDb } from '../tenant-db.ts'
import { toStorable } from '../text.ts'
import type { Answer } from './answer.ts'

/** Which rows a thread's newest answers are, oldest first, each as `toThreadRow` writes it; no text of any. */
export type ThreadRows = { agent: string | null; rows: string[] }

/** In one round trip. Null for a thread that is not kept. */
export async function readThreadRows(tenant: TenantDb, key: string, limit: number): Promise<ThreadRows | null> {
  const text = `select case when t.expires_at > now() then t.agent end as agent, array(
      select newest.id || ':' || encode(sha256(convert_to(newest.markdown, 'UTF8')), 'hex') from
        (select id, markdown, created_at from answer where thread_id = t.id and expires_at > now() order by created_at desc, id desc limit $2) newest
      order by newest.created_at, newest.id) as rows from thread t where t.key = $1`
  const rows = await readAtOnce<ThreadRows>(tenant, { text, values: [key, limit] }, {})
  return rows[0] ?? null
}

/** Another text for every other answer, and for the same answer that was written anew. */
export function toThreadRow({ id, markdown }: Pick<Answer, 'id' | 'markdown'>): string {
  return `${id}:${createHash('sha256').update(toStorable(markdown)).digest('hex')}`
}

/** Key of the thread that an answer was given in; null for one outside any, or not kept. */
export async function threadOfAnswer(tenant: TenantDb, answerId: string): Promise<string | null> {
  const text = 'select t.key from answer a join thread t on t.id = a.thread_id where a.id = $1'
  const rows = await readAtOnce<{ key: string }>(tenant, { text, values: [answerId] }, {})
  return rows[0]?.key ?? null
}
