import { randomUUID } from 'node:crypto'
import { textType, toBinaryArray, tsvectorType } from '../binary-array.ts'
import { NuraError } from '../nura-error.ts'
import { toJson, toStorable } from '../text.ts'
import type { TenantDb } from '../tenant-db.ts'
import type { Transaction } from '../transaction.ts'
import { lockCorpus, saveCorpus, type Corpus } from './corpus.ts'
import { keepChunks } from './keep-chunks.ts'
import { noteUnfinished } from './manifest.ts'
import { addTerms, dropFiles, dropFileTerms } from './remove-files.ts'
import { readVectorTypes, spaceChanged, toSpaceLiteral, toVectorBytes } from './space.ts'
import { countTerms, toLex, toSparse, type TermCounts } from './terms.ts'

export type FileWrite = {
  path: string
  /** `path` without extension and without a trailing `/index` or `/__init__`. */
  stem: string
  blobSha: string
  size: number | null
  language: string | null
  contentType: 'code' | 'documentation' | 'business'
  /** What people call a document, its own address, and when it last changed; absent for a file of a repository. */
  title?: string | null
  url?: string | null
  changedAt?: Date | null
  /** Why the content is not indexed; null when it is. */
  skipReason: string | null
  /** Terms of the whole file and its path. */
  tokens: string[]
  chunks: ChunkWrite[]
  symbols: SymbolWrite[]
  edges: EdgeWrite[]
}

export type ChunkWrite = {
  /** sha256 of embedding space, chunker version and embedded text. */
  key: string
  content: string
  ordinal: number
  /** 1-based, inclusive. */
  startLine: number
  endLine: number
  scope: string[]
  tokens: string[]
  /** 1024 dimensions of the space given to `writeFiles`. */
  embedding: number[]
  metadata?: Record<string, unknown>
}

export type SymbolWrite = { name: string; container: string | null; kind: string; signature: string; doc: string | null; startLine: number; endLine: number }
/** `target` is a name as written, or for imports and tests the stem of a file. */
export type EdgeWrite = { kind: 'import' | 'call' | 'reference' | 'test'; fromSymbol: string | null; target: string; line: number }

export type WriteContext = { repositoryId: string; sha: string; space: string; chunkerVersion: number }

/**
 * Replaces what the tenant's index holds of these paths, in one transaction: readers see a path's old version whole or
 * its new version whole. A chunk whose key stays keeps its id and vector.
 *
 * @throws NuraError `unknown-repository`, `wrong-dimensions`, `bad-embedding-space`; `space-changed` when the index is in another
 *   embedding space: nothing is written that no search would find
 */
export async function writeFiles(tenant: TenantDb, context: WriteContext, files: FileWrite[]): Promise<void> {
  toSpaceLiteral(context.space)
  const byPath = new Map(files.map((file) => [file.path, file]))
  if (byPath.size === 0) return
  const rows = [...byPath.values()].map((file) => ({
    file,
    terms: countTerms(file.tokens),
    chunks: file.chunks.map((chunk) => ({ chunk, terms: countTerms(chunk.tokens), vector: toVectorBytes(chunk.embedding) })),
  }))
  await tenant.transaction(async (tx) => {
    const [corpus, types, [repository], present] = await Promise.all([
      lockCorpus(tx),
      readVectorTypes(tx),
      tx.query('select 1 from repository where id = $1', [context.repositoryId]),
      tx.query<{ id: string; path: string }>('select id, path from file where repository_id = $1 and path = any($2::text[])', [context.repositoryId, [...byPath.keys()]]),
    ])
    if (!repository) throw new NuraError('unknown-repository', 'The repository is no longer connected.')
    if (corpus.activeSpace !== null && corpus.activeSpace !== context.space) throw spaceChanged(context.space, corpus.activeSpace)
    freezeMeans(corpus, rows)
    const ids = new Map(present.map(({ id, path }) => [path, id]))
    const written = rows.map((row) => ({ ...row, id: ids.get(row.file.path) ?? randomUUID() }))
    if (present.length > 0) await dropFileTerms(tx, corpus, context.repositoryId, [...ids.keys()])
    const fresh = await keepChunks(tx, context.space, corpus, written, [...ids.values()])
    count(corpus, written, fresh)
    corpus.activeSpace ??= context.space
    // None needs another's answer, so they are sent together; the server takes them in this order.
    await Promise.all([
      writeFileRows(tx, context, corpus, types, written),
      writeChunks(tx, context, corpus, types, fresh),
      addTerms(tx, { files: written.map(({ terms }) => terms), chunks: fresh.map(({ row }) => row.terms) }),
      ...dropNames(tx, [...ids.values()]),
      writeSymbols(tx, context, written),
      writeEdges(tx, context, written),
      noteUnfinished(tx, context.repositoryId, context.sha),
      saveCorpus(tx, corpus),
    ])
  })
}

type VectorTypes = Awaited<ReturnType<typeof readVectorTypes>>
type FileRow = { file: FileWrite; terms: TermCounts; chunks: ChunkRow[] }
type ChunkRow = { chunk: ChunkWrite; terms: TermCounts; vector: Buffer }
export type WrittenFile = FileRow & { id: string }
export type FreshChunk = { file: WrittenFile; row: ChunkRow }

/** The first write of an empty index fixes the mean lengths that weights are made with; `rebuildWeights` moves them. */
function freezeMeans(corpus: Corpus, rows: FileRow[]): void {
  const mean = (all: TermCounts[]) => all.reduce((sum, { length }) => sum + length, 0) / Math.max(all.length, 1)
  if (corpus.chunks === 0) corpus.meanChunkLength = mean(rows.flatMap((row) => row.chunks.map(({ terms }) => terms)))
  if (corpus.files === 0) corpus.meanFileLength = mean(rows.map(({ terms }) => terms).filter(({ length }) => length > 0))
}

function count(corpus: Corpus, files: WrittenFile[], fresh: FreshChunk[]): void {
  corpus.files += files.filter(({ terms }) => terms.length > 0).length
  corpus.fileTokens += files.reduce((sum, { terms }) => sum + terms.length, 0)
  corpus.chunks += fresh.length
  corpus.chunkTokens += fresh.reduce((sum, { row }) => sum + row.terms.length, 0)
}

async function writeFileRows(tx: Transaction, context: WriteContext, corpus: Corpus, types: VectorTypes, rows: WrittenFile[]): Promise<void> {
  const indexed = rows.map(({ terms }) => (terms.length > 0 ? terms : null))
  await tx.execute(
    `insert into file (id, repository_id, path, stem, blob_sha, size, language, content_type, skip_reason, chunker_version, pending_sha, lex, sparse, token_length, mean_length, title, url, changed_at)
     select id, $1, path, stem, blob_sha, size, language, content_type, skip_reason, $2, $3, lex, sparse, token_length, $4, title, url, changed_at
     from unnest($5::uuid[], $6::text[], $7::text[], $8::text[], $9::int[], $10::text[], $11::text[], $12::text[], $13::tsvector[], $14::sparsevec[], $15::int[], $16::text[], $17::text[], $18::timestamptz[])
       as given (id, path, stem, blob_sha, size, language, content_type, skip_reason, lex, sparse, token_length, title, url, changed_at)
     on conflict (repository_id, path) do update set stem = excluded.stem, blob_sha = excluded.blob_sha, size = excluded.size, language = excluded.language,
       content_type = excluded.content_type, skip_reason = excluded.skip_reason, chunker_version = excluded.chunker_version, pending_sha = excluded.pending_sha,
       lex = excluded.lex, sparse = excluded.sparse, token_length = excluded.token_length, mean_length = excluded.mean_length, title = excluded.title, url = excluded.url, changed_at = excluded.changed_at, updated_at = now()`,
    [
      context.repositoryId,
      context.chunkerVersion,
      context.sha,
      corpus.meanFileLength,
      rows.map(({ id }) => id),
      ...columnsOf(rows, ({ file }) => [file.path, file.stem, file.blobSha, file.size, file.language, file.contentType, file.skipReason], 7),
      toBinaryArray(tsvectorType, indexed.map((terms) => terms && toLex(terms))),
      toBinaryArray(types.sparsevec, indexed.map((terms) => terms && toSparse(terms, corpus.meanFileLength))),
      rows.map(({ terms }) => terms.length),
      ...columnsOf(rows, ({ file }) => [toStorable(file.title ?? null), file.url ?? null, file.changedAt?.toISOString() ?? null], 3),
    ],
  )
}

async function writeChunks(tx: Transaction, context: WriteContext, corpus: Corpus, types: VectorTypes, fresh: FreshChunk[]): Promise<void> {
  if (fresh.length === 0) return
  await tx.execute(
    `insert into knowledge_base (id, content, content_type, source_path, repository_id, embedding, metadata, embedding_model, file_id, chunk_key, ordinal, start_line, end_line, scope, token_length, mean_length, lex, sparse)
     select id, content, content_type, path, $1, embedding, metadata::jsonb, $2, file_id, chunk_key, ordinal, start_line, end_line,
       array(select jsonb_array_elements_text(scope::jsonb)), token_length, $3, lex, sparse
     from unnest($4::uuid[], $5::text[], $6::vector[], $7::tsvector[], $8::sparsevec[], $9::text[], $10::text[], $11::text[], $12::uuid[], $13::text[], $14::int[], $15::int[], $16::int[], $17::text[], $18::int[])
       as given (id, content, embedding, lex, sparse, content_type, path, metadata, file_id, chunk_key, ordinal, start_line, end_line, scope, token_length)`,
    [
      context.repositoryId,
      context.space,
      corpus.meanChunkLength,
      fresh.map(() => randomUUID()),
      toBinaryArray(textType, fresh.map(({ row }) => Buffer.from(toStorable(row.chunk.content)))),
      toBinaryArray(types.vector, fresh.map(({ row }) => row.vector)),
      toBinaryArray(tsvectorType, fresh.map(({ row }) => toLex(row.terms))),
      toBinaryArray(types.sparsevec, fresh.map(({ row }) => toSparse(row.terms, corpus.meanChunkLength))),
      ...columnsOf(
        fresh,
        ({ file, row: { chunk, terms } }) => [
          file.file.contentType, file.file.path, toJson(chunk.metadata ?? {}), file.id, chunk.key, chunk.ordinal, chunk.startLine, chunk.endLine,
          toJson(chunk.scope), terms.length,
        ],
        10,
      ),
    ],
  )
}

function dropNames(tx: Transaction, ids: string[]): Promise<number>[] {
  return ids.length === 0 ? [] : ['symbol', 'edge'].map((table) => tx.execute(`delete from ${table} where file_id = any($1::uuid[])`, [ids]))
}

async function writeSymbols(tx: Transaction, context: WriteContext, files: WrittenFile[]): Promise<void> {
  const symbols = files.flatMap(({ id, file }) => file.symbols.map((symbol) => ({ id, symbol })))
  if (symbols.length === 0) return
  await tx.execute(
    `insert into symbol (repository_id, file_id, name, name_lower, container, kind, signature, doc, start_line, end_line)
     select $1, given.* from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::int[], $10::int[]) as given`,
    [
      context.repositoryId,
      ...columnsOf(
        symbols,
        ({ id, symbol }) => {
          const name = toStorable(symbol.name)
          const [container, signature, doc] = [toStorable(symbol.container), toStorable(symbol.signature), toStorable(symbol.doc)]
          return [id, name, name.toLowerCase(), container, symbol.kind, signature, doc, symbol.startLine, symbol.endLine]
        },
        9,
      ),
    ],
  )
}

async function writeEdges(tx: Transaction, context: WriteContext, files: WrittenFile[]): Promise<void> {
  const edges = files.flatMap(({ id, file }) => file.edges.map((edge) => ({ id, edge })))
  if (edges.length === 0) return
  await tx.execute(
    `insert into edge (repository_id, file_id, from_symbol, kind, target, line)
     select $1, given.* from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::int[]) as given`,
    [context.repositoryId, ...columnsOf(edges, ({ id, edge }) => [id, toStorable(edge.fromSymbol), edge.kind, toStorable(edge.target), edge.line], 5)],
  )
}

/** One array a column, for `unnest`. */
function columnsOf<Row>(rows: Row[], cells: (row: Row) => unknown[], width: number): unknown[][] {
  const columns: unknown[][] = Array.from({ length: width }, () => [])
  for (const row of rows) cells(row).forEach((cell, at) => columns[at]!.push(cell))
  return columns
}

/** Takes paths out of the index. Paths that are not in it are ignored. */
export async function removeFiles(tenant: TenantDb, repositoryId: string, paths: string[]): Promise<void> {
  if (paths.length === 0) return
  await tenant.transaction(async (tx) => {
    const corpus = await lockCorpus(tx)
    await dropFiles(tx, corpus, repositoryId, paths)
    await saveCorpus(tx, corpus)
  })
}
