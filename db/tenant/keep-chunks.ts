import type { Transaction } from '../transaction.ts'
import { toJson, toStorable } from '../text.ts'
import type { Corpus } from './corpus.ts'
import { dropChunks } from './remove-files.ts'
import type { FreshChunk, WrittenFile } from './write-files.ts'

/**
 * Pairs the chunks to write with those that their file has already: a pair keeps its row and vector and gets its new
 * place and the blank lines around it, what has no pair any more is marked gone, and what is new is returned. `known` are
 * the files that had a row before.
 */
export async function keepChunks(tx: Transaction, space: string, corpus: Corpus, files: WrittenFile[], known: string[]): Promise<FreshChunk[]> {
  if (known.length === 0) return files.flatMap((file) => file.chunks.map((row) => ({ file, row })))
  const present = await tx.query<{ id: string; file_id: string; chunk_key: string; embedding_model: string }>(
    'select id, file_id, chunk_key, embedding_model from knowledge_base where file_id = any($1::uuid[]) and gone_at is null order by ordinal',
    [known],
  )
  const free = new Map<string, string[]>()
  for (const row of present) {
    if (row.embedding_model !== space) continue
    const key = `${row.file_id} ${row.chunk_key}`
    free.set(key, [...(free.get(key) ?? []), row.id])
  }
  const kept: { id: string; row: WrittenFile['chunks'][number] }[] = []
  const fresh: FreshChunk[] = []
  for (const file of files) {
    for (const row of file.chunks) {
      const id = free.get(`${file.id} ${row.chunk.key}`)?.shift()
      if (id === undefined) fresh.push({ file, row })
      else kept.push({ id, row })
    }
  }
  const keptIds = new Set(kept.map(({ id }) => id))
  await dropChunks(tx, corpus, present.map(({ id }) => id).filter((id) => !keptIds.has(id)))
  if (kept.length > 0) {
    await tx.execute(
      `update knowledge_base k set ordinal = given.ordinal, start_line = given.start_line, end_line = given.end_line,
         scope = array(select jsonb_array_elements_text(given.scope::jsonb)), metadata = given.metadata::jsonb, content = given.content, updated_at = now()
       from unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::text[], $6::text[], $7::text[]) as given (id, ordinal, start_line, end_line, scope, metadata, content)
       where k.id = given.id and (k.ordinal, k.start_line, k.end_line, to_jsonb(k.scope), k.metadata, k.content)
         is distinct from (given.ordinal, given.start_line, given.end_line, given.scope::jsonb, given.metadata::jsonb, given.content)`,
      [
        kept.map(({ id }) => id),
        kept.map(({ row }) => row.chunk.ordinal),
        kept.map(({ row }) => row.chunk.startLine),
        kept.map(({ row }) => row.chunk.endLine),
        kept.map(({ row }) => toJson(row.chunk.scope)),
        kept.map(({ row }) => toJson(row.chunk.metadata ?? {})),
        kept.map(({ row }) => toStorable(row.chunk.content)),
      ],
    )
  }
  return fresh
}
