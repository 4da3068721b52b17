import { randomUUID } from 'node:crypto'
import { wrap } from '@mikro-orm/core'
import { z } from 'zod'
import { NuraError } from '../nura-error.ts'
import type { TenantDb } from '../tenant-db.ts'
import { toJson, toStorable } from '../text.ts'
import { Answer } from './answer.ts'
import { threadLastsMs } from './threads.ts'

export type NewAnswer = Pick<Answer, 'asker' | 'question' | 'agent' | 'markdown' | 'abstained' | 'citations' | 'trace' | 'usage'> & {
  /** Given by who already named it to its reader; else made here. */
  id?: string
  /** The thread's key; the thread must exist. Null for a question outside any. */
  thread: string | null
  evidence?: Record<string, unknown> | null
  asked?: Record<string, unknown> | null
  /** The chunk behind each `[n]`. */
  citedChunks: { n: number; chunkId: string; chunkKey: string }[]
}

/** Stores an answer with the chunks it cites. Storing the same id again replaces it. @returns its id */
export async function saveAnswer(tenant: TenantDb, answer: NewAnswer): Promise<string> {
  const id = answer.id ?? randomUUID()
  await tenant.transaction(async (tx) => {
    await tx.execute(
      `insert into answer (id, thread_id, asker, question, agent, markdown, abstained, citations, trace, usage, expires_at, evidence, asked)
       values ($1, (select id from thread where key = $2), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
       on conflict (id) do update set thread_id = excluded.thread_id, markdown = excluded.markdown, abstained = excluded.abstained,
         citations = excluded.citations, trace = excluded.trace, usage = excluded.usage, agent = excluded.agent, evidence = excluded.evidence, asked = excluded.asked`,
      [
        id, answer.thread, answer.asker, toStorable(answer.question), answer.agent, toStorable(answer.markdown), answer.abstained,
        toJson(answer.citations), toJson(answer.trace), toJson(answer.usage), new Date(Date.now() + threadLastsMs), answer.evidence ? toJson(answer.evidence) : null, answer.asked ? toJson(answer.asked) : null,
      ],
    )
    await tx.execute('delete from cited_chunk where answer_id = $1', [id])
    await tx.execute(
      // A chunk's key changes with the embedding space, and that may have been while the answer was written.
      `insert into cited_chunk (answer_id, n, chunk_id, chunk_key)
       select $1, n, given.chunk_id, coalesce(k.chunk_key, given.chunk_key) from unnest($2::int[], $3::uuid[], $4::text[]) as given (n, chunk_id, chunk_key)
       left join knowledge_base k on k.id = given.chunk_id on conflict do nothing`,
      [id, answer.citedChunks.map(({ n }) => n), answer.citedChunks.map(({ chunkId }) => chunkId), answer.citedChunks.map(({ chunkKey }) => chunkKey)],
    )
  })
  return id
}

export function findAnswer(tenant: TenantDb, id: string): Promise<Answer | null> {
  if (!z.uuid().safeParse(id).success) return Promise.resolve(null)
  return tenant.transaction(async ({ em }) => {
    const found = await em.findOne(Answer, { id, expiresAt: { $gt: new Date() } })
    return found && toPlain(found)
  })
}

/** The newest answers of a thread, oldest first. */
export function answersInThread(tenant: TenantDb, key: string, limit: number): Promise<Answer[]> {
  return tenant.transaction(async ({ em, query }) => {
    const [thread] = await query<{ id: string }>('select id from thread where key = $1', [key])
    if (!thread) return []
    const newest = await em.find(Answer, { threadId: thread.id, expiresAt: { $gt: new Date() } }, { orderBy: { createdAt: 'desc', id: 'desc' }, limit })
    return newest.map(toPlain).reverse()
  })
}

/** How many answers someone got since a moment. */
export async function countAnswersOf(tenant: TenantDb, asker: string, since: Date): Promise<number> {
  const rows = await tenant.transaction((tx) => tx.query<{ count: number }>('select count(*)::int as count from answer where asker = $1 and created_at >= $2', [asker, since]))
  return rows[0]!.count
}

/** Deletes an answer with its feedback. */
export async function deleteAnswer(tenant: TenantDb, id: string): Promise<boolean> {
  if (!z.uuid().safeParse(id).success) return false
  return (await tenant.transaction((tx) => tx.execute('delete from answer where id = $1', [id]))) > 0
}

/** Keeps one verdict a person; a later one replaces it. @throws NuraError `unknown-answer` */
export async function saveFeedback(tenant: TenantDb, answerId: string, feedback: { by: string; verdict: 'up' | 'down'; reason: string | null }): Promise<void> {
  const saved = z.uuid().safeParse(answerId).success
    ? await tenant.transaction((tx) =>
        tx.execute(
          `insert into feedback (answer_id, given_by, verdict, reason) select id, $2, $3, $4 from answer where id = $1
           on conflict (answer_id, given_by) do update set verdict = excluded.verdict, reason = excluded.reason, created_at = now()`,
          [answerId, feedback.by, feedback.verdict, toStorable(feedback.reason)],
        ),
      )
    : 0
  if (saved === 0) throw new NuraError('unknown-answer', 'There is no such answer any more.', { field: 'id' })
}

function toPlain(answer: Answer): Answer {
  return wrap(answer).toPOJO() as unknown as Answer
}
