import type { Transaction } from '../transaction.ts'
import type { Corpus } from './corpus.ts'
import { noteUnfinished } from './manifest.ts'
import type { TermCounts } from './terms.ts'

/** Deletes files; their chunks stay as gone rows until they are purged, so that a vector that comes back is not paid twice. */
export async function dropFiles(tx: Transaction, corpus: Corpus, repositoryId: string, paths: string[]): Promise<void> {
  const files = await tx.query<{ id: string }>('select id from file where repository_id = $1 and path = any($2::text[])', [repositoryId, paths])
  if (files.length === 0) return
  const ids = files.map(({ id }) => id)
  const chunks = await tx.query<{ id: string }>('select id from knowledge_base where file_id = any($1::uuid[]) and gone_at is null', [ids])
  await dropChunks(tx, corpus, chunks.map(({ id }) => id))
  await dropFileTerms(tx, corpus, repositoryId, paths)
  await tx.execute('delete from file where id = any($1::uuid[])', [ids])
  await noteUnfinished(tx, repositoryId, null)
}

/** Marks live chunks as gone and takes them out of the counts. */
export async function dropChunks(tx: Transaction, corpus: Corpus, ids: string[]): Promise<void> {
  if (ids.length === 0) return
  const [gone] = await tx.query<{ rows: number; tokens: number }>(
    `with gone as (
       update knowledge_base set gone_at = now(), file_id = null where id = any($1::uuid[]) and gone_at is null returning lex, token_length
     ), lost as (
       select lexeme::int as hash, count(*)::int as documents from gone, unnest(tsvector_to_array(lex)) as lexeme group by 1
     ), counted as (
       update term set chunks = chunks - documents from lost where term.hash = lost.hash
     )
     select count(*)::int as rows, coalesce(sum(token_length), 0)::int as tokens from gone`,
    [ids],
  )
  corpus.chunks -= gone!.rows
  corpus.chunkTokens -= gone!.tokens
}

/** Takes the files at these paths out of the counts; their rows are about to be deleted or written anew. */
export async function dropFileTerms(tx: Transaction, corpus: Corpus, repositoryId: string, paths: string[]): Promise<void> {
  const [lost] = await tx.query<{ rows: number; tokens: number }>(
    `with present as (
       select lex, token_length from file where repository_id = $1 and path = any($2::text[]) and lex is not null
     ), lost as (
       select lexeme::int as hash, count(*)::int as documents from present, unnest(tsvector_to_array(lex)) as lexeme group by 1
     ), counted as (
       update term set files = files - documents from lost where term.hash = lost.hash
     )
     select count(*)::int as rows, coalesce(sum(token_length), 0)::int as tokens from present`,
    [repositoryId, paths],
  )
  corpus.files -= lost!.rows
  corpus.fileTokens -= lost!.tokens
}

/** Takes terms of files that stay out of the counts; what they hold instead is added then. */
export async function dropTerms(tx: Transaction, files: TermCounts[]): Promise<void> {
  const lost = countDocuments(files)
  await tx.execute('update term set files = files - documents from unnest($1::int[], $2::int[]) as given (hash, documents) where term.hash = given.hash', [
    [...lost.keys()],
    [...lost.values()],
  ])
}

/** Counts in files and chunks that are about to be written. */
export async function addTerms(tx: Transaction, documents: { files: TermCounts[]; chunks: TermCounts[] }): Promise<void> {
  const [files, chunks] = [countDocuments(documents.files), countDocuments(documents.chunks)]
  const hashes = [...new Set([...files.keys(), ...chunks.keys()])]
  if (hashes.length === 0) return
  await tx.execute(
    `insert into term (hash, files, chunks) select hash, files, chunks from unnest($1::int[], $2::int[], $3::int[]) as given (hash, files, chunks)
     on conflict (hash) do update set files = term.files + excluded.files, chunks = term.chunks + excluded.chunks`,
    [hashes, hashes.map((hash) => files.get(hash) ?? 0), hashes.map((hash) => chunks.get(hash) ?? 0)],
  )
}

function countDocuments(documents: TermCounts[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const { frequencies } of documents) for (const hash of frequencies.keys()) counts.set(hash, (counts.get(hash) ?? 0) + 1)
  return counts
}
