import { z } from 'zod'
import { readAtOnce } from '../at-once.ts'
import type { TenantDb } from '../tenant-db.ts'
import type { Answer } from './answer.ts'
import type { NewAnswer } from './answers.ts'

/** An answer that may be given once more, with the chunks behind its citations. */
export type RepeatableAnswer = Pick<Answer, 'id' | 'agent' | 'markdown' | 'citations' | 'trace' | 'evidence'> & Pick<NewAnswer, 'citedChunks'>

/**
 * Null for an answer that is not kept any more, whose sources have changed, or that somebody said is wrong: of it, or of one
 * that repeated it. A repeat names what it repeats in its trace, as `repeats`.
 */
export async function readRepeatable(tenant: TenantDb, id: string): Promise<RepeatableAnswer | null> {
  if (!z.uuid().safeParse(id).success) return null
  const text = `select a.id, a.agent, a.markdown, a.citations, a.trace, a.evidence,
      coalesce((select jsonb_agg(jsonb_build_object('n', n, 'chunkId', chunk_id, 'chunkKey', chunk_key) order by n) from cited_chunk where answer_id = a.id), '[]') as "citedChunks"
    from answer a where a.id = $1 and a.expires_at > now() and a.changed_sha is null and not a.abstained and not exists (
      select 1 from feedback f join answer judged on judged.id = f.answer_id
      where f.verdict = 'down' and (judged.id = a.id or judged.trace->>'repeats' = a.id::text))`
  const rows = await readAtOnce<RepeatableAnswer>(tenant, { text, values: [id] }, {})
  return rows[0] ?? null
}
