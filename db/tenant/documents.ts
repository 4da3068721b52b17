import { createHash, randomUUID } from 'node:crypto'
import { toJson, toStorable } from '../text.ts'
import type { TenantDb } from '../tenant-db.ts'
import type { Transaction } from '../transaction.ts'
import { lockCorpus, saveCorpus } from './corpus.ts'
import { dropFiles } from './remove-files.ts'

/** What could not be read of a document; `page` is 1-based, null where it is about the whole. */
export type DocumentFault = { page: number | null; reason: string }

/** A document that somebody gave to a library, which is a repository of source `documents`. */
export type Document = {
  id: string
  repositoryId: string
  /** The library's name. */
  library: string
  /** As the file was called; one of a name in each library. */
  name: string
  title: string
  url: string | null
  contentType: 'documentation' | 'business'
  mediaType: string
  /** Bytes as given, and their sha256. */
  size: number
  sha: string
  /** `stored`: its bytes wait to be read. `partial`: read but for `faults`. `failed`: nothing of these bytes could be read. */
  state: 'stored' | 'ready' | 'partial' | 'failed'
  error: string | null
  pages: number | null
  faults: DocumentFault[]
  /** Whether text of it, be it of an earlier version, is there to be searched. */
  hasText: boolean
  attempts: number
  createdAt: Date
  changedAt: Date
}

export type GivenDocument = Pick<Document, 'repositoryId' | 'name' | 'title' | 'url' | 'contentType' | 'mediaType'> & { bytes: Buffer }

const pieceBytes = 1024 * 1024

const columns = `d.id, d.repository_id as "repositoryId", r.name as library, d.name, d.title, d.url, d.content_type as "contentType", d.media_type as "mediaType",
  d.size, d.sha, d.state, d.error, d.pages, d.faults, d.text is not null as "hasText", d.attempts, d.created_at as "createdAt", d.changed_at as "changedAt"`
const tables = 'document d join repository r on r.id = d.repository_id'

/**
 * Keeps a document until it is read. The same bytes under the same name are the document that is there; other bytes are its
 * new version, and the earlier text stays until theirs is read.
 * @returns `isNew` when there is something to read
 */
export async function storeDocument(tenant: TenantDb, given: GivenDocument): Promise<{ document: Document; isNew: boolean }> {
  const sha = createHash('sha256').update(given.bytes).digest('hex')
  const { repositoryId, name, title, url, contentType, mediaType, bytes } = given
  return tenant.transaction(async (tx) => {
    await tx.query('select pg_advisory_xact_lock(hashtext($1))', [`${tenant.schema} document ${repositoryId}`])
    const [known] = await tx.query<{ id: string; sha: string; state: Document['state']; text: string | null }>(
      'select id, sha, state, text from document where repository_id = $1 and name = $2',
      [repositoryId, name],
    )
    const id = known?.id ?? randomUUID()
    const about = [id, toStorable(title), url, contentType]
    if (known?.sha === sha && known.state !== 'failed') {
      const textSha = known.text === null ? null : toTextSha(known.text, { name, title, url, contentType })
      await tx.execute('update document set title = $2, url = $3, content_type = $4, text_sha = $5 where id = $1', [...about, textSha])
      return { document: (await readOne(tx, id))!, isNew: false }
    }
    const version = [...about, mediaType, bytes.length, sha]
    if (known) {
      await tx.execute(
        `update document set title = $2, url = $3, content_type = $4, media_type = $5, size = $6, sha = $7, state = 'stored', error = null, attempts = 0, changed_at = now() where id = $1`,
        version,
      )
    } else {
      await tx.execute(
        'insert into document (id, title, url, content_type, media_type, size, sha, repository_id, name) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)',
        [...version, repositoryId, name],
      )
    }
    await writePieces(tx, id, bytes)
    return { document: (await readOne(tx, id))!, isNew: true }
  })
}

async function writePieces(tx: Transaction, id: string, bytes: Buffer): Promise<void> {
  await dropPieces(tx, id)
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    await tx.execute('insert into document_piece (document_id, ordinal, bytes) values ($1, $2, $3)', [id, start / pieceBytes, bytes.subarray(start, start + pieceBytes)])
  }
}

function dropPieces(tx: Transaction, id: string): Promise<number> {
  return tx.execute('delete from document_piece where document_id = $1', [id])
}

async function readOne(tx: Transaction, id: string): Promise<Document | null> {
  return (await tx.query<Document>(`select ${columns} from ${tables} where d.id = $1`, [id]))[0] ?? null
}

export function findDocument(tenant: TenantDb, id: string): Promise<Document | null> {
  return tenant.transaction((tx) => readOne(tx, id))
}

/** In order of library and name, at most `limit` after the one named. */
export function listDocuments(tenant: TenantDb, { library, after, limit }: { library?: string; after?: string; limit: number }): Promise<Document[]> {
  return tenant.transaction((tx) =>
    tx.query<Document>(
      `select ${columns} from ${tables} where r.state <> 'forgetting' and ($1::text is null or r.name = $1)
         and ($2::uuid is null or (r.name, d.name) > (select r.name, d.name from ${tables} where d.id = $2)) order by r.name, d.name limit $3`,
      [library ?? null, after ?? null, limit],
    ),
  )
}

/** The bytes as they were given; null once they were read. */
export async function readOriginal(tenant: TenantDb, id: string): Promise<Buffer | null> {
  const pieces: Buffer[] = []
  for (;;) {
    const [piece] = await tenant.transaction((tx) => tx.query<{ bytes: Buffer }>('select bytes from document_piece where document_id = $1 and ordinal = $2', [id, pieces.length]))
    if (!piece) return pieces.length === 0 ? null : Buffer.concat(pieces)
    pieces.push(piece.bytes)
  }
}

/** Counts a try to read a document, before it is made: one that takes its process down must not be tried for ever. @returns its number */
export async function countAttempt(tenant: TenantDb, id: string): Promise<number> {
  const [row] = await tenant.transaction((tx) => tx.query<{ attempts: number }>('update document set attempts = attempts + 1 where id = $1 returning attempts', [id]))
  return row?.attempts ?? 0
}

/** A try that was cut off by a stop was none. */
export async function uncountAttempt(tenant: TenantDb, id: string): Promise<void> {
  await tenant.transaction((tx) => tx.execute('update document set attempts = greatest(attempts - 1, 0) where id = $1', [id]))
}

/** What became of the bytes with this sha; nothing when newer ones were given meanwhile. The bytes themselves are dropped. */
export async function finishDocument(
  tenant: TenantDb,
  { id, sha }: Pick<Document, 'id' | 'sha'>,
  read: { text: string; pages: number | null; faults: DocumentFault[] } | { error: string; faults: DocumentFault[]; pages: number | null },
): Promise<void> {
  await tenant.transaction(async (tx) => {
    const [known] = await tx.query<Document>('select name, title, url, content_type as "contentType", state from document where id = $1 and sha = $2 for update', [id, sha])
    if (known?.state !== 'stored') return
    const about = [id, read.pages, toJson(read.faults)]
    if ('text' in read) {
      const text = toStorable(read.text)
      await tx.execute('update document set pages = $2, faults = $3::jsonb, state = $4, error = null, text = $5, text_sha = $6 where id = $1', [
        ...about, read.faults.length > 0 ? 'partial' : 'ready', text, toTextSha(text, known),
      ])
    } else {
      await tx.execute(`update document set pages = $2, faults = $3::jsonb, state = 'failed', error = $4 where id = $1`, [...about, toStorable(read.error)])
    }
    await dropPieces(tx, id)
  })
}

/** Takes a document away, and out of the index: it is not found any more. @returns false when there is none */
export async function removeDocument(tenant: TenantDb, id: string): Promise<boolean> {
  return tenant.transaction(async (tx) => {
    const corpus = await lockCorpus(tx)
    const [gone] = await tx.query<{ repositoryId: string; name: string }>('delete from document where id = $1 returning repository_id as "repositoryId", name', [id])
    if (!gone) return false
    // A long document is indexed in parts that are called after it.
    const files = await tx.query<{ path: string }>(`select path from file where repository_id = $1 and (path = $2 or left(path, length($2) + 7) = $2 || ' (part ')`, [gone.repositoryId, gone.name])
    await dropFiles(tx, corpus, gone.repositoryId, files.map(({ path }) => path))
    await saveCorpus(tx, corpus)
    return true
  })
}

/** Documents that wait to be read, the oldest first. */
export function unreadDocuments(tenant: TenantDb, limit: number): Promise<{ id: string }[]> {
  return tenant.transaction((tx) =>
    tx.query<{ id: string }>(
      `select d.id from ${tables} where d.state = 'stored' and r.state <> 'forgetting' order by d.changed_at limit $1`,
      [limit],
    ),
  )
}

export type DocumentEntry = Pick<Document, 'name' | 'title' | 'url' | 'contentType' | 'changedAt'> & { textSha: string; size: number }

/** Every document of a library that has text, in order of name. */
export function readLibrary(tenant: TenantDb, repositoryId: string): Promise<DocumentEntry[]> {
  return tenant.transaction((tx) =>
    tx.query<DocumentEntry>(
      `select name, title, url, content_type as "contentType", changed_at as "changedAt", text_sha as "textSha", octet_length(text) as size
       from document where repository_id = $1 and text is not null order by name collate "C"`,
      [repositoryId],
    ),
  )
}

/** The text of a document; null when it is gone or another by now. */
export async function readDocumentText(tenant: TenantDb, repositoryId: string, textSha: string): Promise<string | null> {
  const [row] = await tenant.transaction((tx) => tx.query<{ text: string }>('select text from document where repository_id = $1 and text_sha = $2 limit 1', [repositoryId, textSha]))
  return row?.text ?? null
}

/** Changes with everything that is shown of a document, not with its text alone. */
function toTextSha(text: string, { name, title, url, contentType }: Pick<Document, 'name' | 'title' | 'url' | 'contentType'>): string {
  return createHash('sha1').update(JSON.stringify([name, title, url, contentType])).update(text).digest('hex')
}
