import { readAtOnce } from '../at-once.ts'
import type { TenantDb } from '../tenant-db.ts'
import type { Transaction } from '../transaction.ts'

/** What a tenant's index holds as a whole. `mean…Length` are frozen: weights in `sparse` were made with them. */
export type Corpus = {
  chunks: number
  files: number
  chunkTokens: number
  fileTokens: number
  meanChunkLength: number
  meanFileLength: number
  /** Grows with every write: what was cached of an older version is stale. */
  indexVersion: number
  /** The embedding space that questions are compared in; null before the first write. */
  activeSpace: string | null
  /** The space that a change under way leads to; null when there is none. `saveCorpus` leaves it alone. */
  nextSpace: string | null
  /** Whether vectors beside the active ones are left that nobody needs. `saveCorpus` leaves it alone. */
  nextStale: boolean
}

const columns = `chunks, files, chunk_tokens::float8 as "chunkTokens", file_tokens::float8 as "fileTokens", mean_chunk_length as "meanChunkLength",
  mean_file_length as "meanFileLength", index_version::float8 as "indexVersion", active_space as "activeSpace", next_space as "nextSpace", next_stale as "nextStale"`

export async function readCorpus(tenant: TenantDb): Promise<Corpus> {
  return (await readAtOnce<Corpus>(tenant, { text: `select ${columns} from corpus`, values: [] }, {}))[0]!
}

/** Reads the corpus and makes every other writer of this tenant's index wait until the transaction ends. */
export async function lockCorpus(tx: Transaction): Promise<Corpus> {
  return (await tx.query<Corpus>(`select ${columns} from corpus for update`))[0]!
}

export async function saveCorpus(tx: Transaction, corpus: Corpus): Promise<void> {
  await tx.execute(
    `update corpus set chunks = $1, files = $2, chunk_tokens = $3, file_tokens = $4, mean_chunk_length = $5, mean_file_length = $6,
      active_space = $7, index_version = index_version + 1`,
    [corpus.chunks, corpus.files, corpus.chunkTokens, corpus.fileTokens, corpus.meanChunkLength, corpus.meanFileLength, corpus.activeSpace],
  )
}
