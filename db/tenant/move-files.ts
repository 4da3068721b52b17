import { toBinaryArray, tsvectorType } from '../binary-array.ts'
import { NuraError } from '../nura-error.ts'
import { toStorable } from '../text.ts'
import type { TenantDb } from '../tenant-db.ts'
import type { Transaction } from '../transaction.ts'
import { lockCorpus, saveCorpus } from './corpus.ts'
import type { Corpus } from './corpus.ts'
import { noteUnfinished } from './manifest.ts'
import { addTerms, dropFiles, dropTerms } from './remove-files.ts'
import { readVectorTypes } from './space.ts'
import { changeTerms, readTerms, toLex, toSparse } from './terms.ts'

/** A file that has another path now and the same content. */
export type FileMove = {
  from: string
  to: string
  /** As `FileWrite` has it, of the new path. */
  stem: string
  /** Terms that the old path brought to the file, and that the new one brings; none when absent. */
  tokens?: { from: string[]; to: string[] }
  /** What the file is taken to test at its new path; nothing when absent. */
  subjects?: string[]
}

/** Files whose chunks are renamed by one statement, and whose terms are held at once. */
const batchFiles = 500

/**
 * Renames files whose content stayed, without touching their chunks' vectors and terms: afterwards the index says what it
 * would say had they been written at their new paths. Swaps and chains are fine; a file at a target that is not itself moved
 * is replaced. The one guess is an import of a file that moved along: it is taken to mean that file still.
 * @throws NuraError `stale-manifest` when a `from` is not in the index
 */
export async function moveFiles(tenant: TenantDb, repositoryId: string, sha: string, moves: FileMove[]): Promise<void> {
  if (moves.length === 0) return
  await tenant.transaction(async (tx) => {
    const corpus = await lockCorpus(tx)
    const sources = new Set(moves.map(({ from }) => from))
    await dropFiles(tx, corpus, repositoryId, moves.map(({ to }) => to).filter((path) => !sources.has(path)))
    const files = await tx.query<{ id: string; path: string; stem: string }>(
      'select id, path, stem from file where repository_id = $1 and path = any($2::text[])',
      [repositoryId, [...sources]],
    )
    const known = new Map(files.map((file) => [file.path, file]))
    const missing = moves.find(({ from }) => !known.has(from))
    if (missing) throw new NuraError('stale-manifest', `The index has no ${missing.from} to move; read the manifest again.`, { retryable: true })
    const moved = moves.map((move) => ({ ...move, id: known.get(move.from)!.id, oldStem: known.get(move.from)!.stem }))
    await renameFiles(tx, sha, moved)
    for (const batch of batchesOf(moved)) await renameChunks(tx, batch)
    await repointImports(tx, repositoryId, moved)
    await replaceSubjects(tx, repositoryId, moved)
    for (const batch of batchesOf(moved)) await replacePathTerms(tx, corpus, batch)
    await noteUnfinished(tx, repositoryId, sha)
    await saveCorpus(tx, corpus)
  })
}

type MovedFile = FileMove & { id: string; oldStem: string }

function batchesOf(moved: MovedFile[]): MovedFile[][] {
  return Array.from({ length: Math.ceil(moved.length / batchFiles) }, (_, at) => moved.slice(at * batchFiles, (at + 1) * batchFiles))
}

async function renameFiles(tx: Transaction, sha: string, moved: MovedFile[]): Promise<void> {
  const ids = moved.map(({ id }) => id)
  // The unique path is checked row by row, so a swap needs names that nobody has in between.
  await tx.execute(`update file set path = E'\\x01' || id where id = any($1::uuid[])`, [ids])
  await tx.execute(
    `update file set path = given.path, stem = given.stem, pending_sha = $4, updated_at = now()
     from unnest($1::uuid[], $2::text[], $3::text[]) as given (id, path, stem) where file.id = given.id`,
    [ids, moved.map(({ to }) => to), moved.map(({ stem }) => stem), sha],
  )
}

async function renameChunks(tx: Transaction, moved: MovedFile[]): Promise<void> {
  await tx.execute(
    `update knowledge_base set source_path = given.path, updated_at = now()
     from unnest($1::uuid[], $2::text[]) as given (id, path) where file_id = given.id and gone_at is null`,
    [moved.map(({ id }) => id), moved.map(({ to }) => to)],
  )
}

/** Files that were moved together still import each other; what they import was named by its old place. Who stayed still names that. */
async function repointImports(tx: Transaction, repositoryId: string, moved: MovedFile[]): Promise<void> {
  await tx.execute(
    `update edge set target = given.new from unnest($2::text[], $3::text[]) as given (old, new)
     where repository_id = $1 and kind = 'import' and target = given.old and given.old <> given.new and file_id = any($4::uuid[])
       and not exists (select 1 from file where file.repository_id = $1 and file.stem = given.old)`,
    [repositoryId, moved.map(({ oldStem }) => oldStem), moved.map(({ stem }) => stem), moved.map(({ id }) => id)],
  )
}

async function replaceSubjects(tx: Transaction, repositoryId: string, moved: MovedFile[]): Promise<void> {
  await tx.execute(`delete from edge where file_id = any($1::uuid[]) and kind = 'test'`, [moved.map(({ id }) => id)])
  const edges = moved.flatMap(({ id, subjects = [] }) => subjects.map((target) => ({ id, target: toStorable(target) })))
  if (edges.length === 0) return
  await tx.execute(
    `insert into edge (repository_id, file_id, kind, target, line) select $1, id, 'test', target, 1 from unnest($2::uuid[], $3::text[]) as given (id, target)`,
    [repositoryId, edges.map(({ id }) => id), edges.map(({ target }) => target)],
  )
}

async function replacePathTerms(tx: Transaction, corpus: Corpus, moved: MovedFile[]): Promise<void> {
  const tokens = new Map(moved.flatMap(({ id, tokens: each }) => (each ? [[id, each] as const] : [])))
  const rows = await tx.query<{ id: string; sparse: string; length: number; mean: number }>(
    'select id, sparse::text, token_length as length, mean_length as mean from file where id = any($1::uuid[]) and lex is not null',
    [[...tokens.keys()]],
  )
  const changed = rows.map(({ id, sparse, length, mean }) => {
    const before = readTerms(sparse, length, mean)
    const { from, to } = tokens.get(id)!
    return { id, mean, before, after: changeTerms(before, from, to) }
  })
  if (changed.length === 0) return
  await dropTerms(tx, changed.map(({ before }) => before))
  await addTerms(tx, { files: changed.map(({ after }) => after), chunks: [] })
  corpus.fileTokens += changed.reduce((sum, { before, after }) => sum + after.length - before.length, 0)
  const { sparsevec } = await readVectorTypes(tx)
  await tx.execute(
    `update file set lex = given.lex, sparse = given.sparse, token_length = given.length
     from unnest($1::uuid[], $2::tsvector[], $3::sparsevec[], $4::int[]) as given (id, lex, sparse, length) where file.id = given.id`,
    [
      changed.map(({ id }) => id),
      toBinaryArray(tsvectorType, changed.map(({ after }) => toLex(after))),
      toBinaryArray(sparsevec, changed.map(({ after, mean }) => toSparse(after, mean))),
      changed.map(({ after }) => after.length),
    ],
  )
}
