import { readAtOnce } from '../at-once.ts'
import { storeOf } from '../store.ts'
import type { TenantDb } from '../tenant-db.ts'
import { readTenant, type Transaction } from '../transaction.ts'
import { toCandidates } from './candidate-terms.ts'
import type { TermFrequency } from './candidate-terms.ts'
import { spaceChanged, toSpaceLiteral, toVectorIndexName, toVectorBytes } from './space.ts'
import { toDistance } from './vector-index.ts'
import { toIdf, toSparseBytes, toTermHash } from './terms.ts'

/** A chunk that a leg found; scores compare within one leg only, the best first. */
export type Hit = { chunkId: string; score: number }
export type FileHit = { fileId: string; path: string; score: number }

export type VectorSearch = {
  space: string
  vector: number[]
  limit: number
  repositoryIds: string[]
  /** How many candidates the index keeps; more finds better and takes longer. At least `limit`, at most 1,000. */
  efSearch?: number
}

/**
 * Candidates beyond the limit, for .99 of what an exact search finds among chunks of source text: .997 of ten and .992 of sixty at
 * 10,000 chunks. Of those that a filter of a tenth goes through, it throws most away: .97 with 100 more, .99 with 300.
 */
const spareCandidates = { all: 100, filtered: 300 }

/**
 * So many allowed rows are compared one by one. Walking the index until enough of what it meets is allowed costs as much as comparing some
 * limit · chunks / allowed rows, so of more than so few the allowed are compared where they are no more than √(limit · chunks). They
 * are counted by an index alone, with what is gone among them.
 */
const fewRows = 500

type VectorRow = { space: string | null; repositories: number; isUnlimited: boolean; chunkId: string | null; score: number }

/**
 * The nearest chunks by cosine, by the space's HNSW index; a score is 1 − cosine distance. `repositoryIds` is what the
 * audience may read: what is not listed cannot be found, and an empty list finds nothing.
 *
 * @throws NuraError `space-changed` when the tenant's vectors, in the snapshot that was searched, are of another space
 */
export async function searchVector(tenant: TenantDb, search: VectorSearch): Promise<Hit[]> {
  if (search.repositoryIds.length === 0 || search.limit < 1) return []
  const readHits = async (reach: VectorReach) => {
    const { settings, ...statement } = toVectorQuery(tenant, search, reach)
    const rows = await readAtOnce<VectorRow>(tenant, statement, { settings, prologue: lockChunks })
    const [head] = rows as [VectorRow]
    if (head.space !== search.space) throw spaceChanged(search.space, head.space)
    repositoryCounts.set(tenant, head.repositories)
    const hits = rows.flatMap(({ chunkId, score }) => (chunkId === null ? [] : [{ chunkId, score }]))
    return { hits: hits.sort((left, right) => right.score - left.score), isUnlimited: head.isUnlimited }
  }
  if (search.repositoryIds.length >= (repositoryCounts.get(tenant) ?? 0)) {
    // Most readers may read every repository: searched as if so, and thrown away where the same snapshot says otherwise.
    const { hits, isUnlimited } = await readHits('all')
    if (isUnlimited) return hits
  }
  return (await readHits('filtered')).hits
}

/** Whether a search of vectors goes through every repository of the tenant, or through those that are listed. */
export type VectorReach = 'all' | 'filtered'

/**
 * The statement of `searchVector` and the settings it runs under. It has a row at least, which says what the snapshot holds: the
 * space, how many repositories, and whether all of them are listed. Asked apart, that would cost a tenth of a search.
 */
export function toVectorQuery(tenant: TenantDb, search: VectorSearch, reach: VectorReach): { text: string; values: [vector: Buffer, repositoryIds: string[]]; name: string; settings: Record<string, string | number> } {
  const { kind } = storeOf(tenant)
  const [literal, limit] = [toSpaceLiteral(search.space), Math.floor(search.limit)]
  const live = `from knowledge_base where embedding_model = ${literal} and gone_at is null`
  const nearest = (distance: string, where = '') => `(select id as "chunkId", ${distance} as distance ${live} ${where} order by distance limit ${limit})`
  const byIndex = toDistance(kind)
  // An expression that no index holds.
  const oneByOne = '(embedding <=> $1::vector) + 0'
  const listed = 'repository_id = any($2::uuid[])'
  const few = '(select few from allowed)'
  const most = `greatest(${fewRows}, sqrt(${limit} * chunks::float8))`
  const [prelude, found] = reach === 'all'
    ? ['', nearest(byIndex)]
    : [
        `with allowed as materialized (
          select (select count(*) from (select 1 from knowledge_base where ${listed} limit (${most})::int8 + 1) as head) <= ${most} as few from corpus
        )`,
        `${nearest(oneByOne, `and ${listed} and ${few}`)} union all ${nearest(byIndex, `and ${listed} and not ${few}`)}`,
      ]
  return {
    text: `${prelude} select active_space as space, (select count(*)::int from repository) as repositories,
        not exists (select from repository where id <> all($2::uuid[])) as "isUnlimited", "chunkId", 1 - distance as score
      from corpus left join lateral (${found}) as found on true`,
    values: [toVectorBytes(search.vector), search.repositoryIds],
    name: `vector ${reach} ${toVectorIndexName(search.space)} ${limit}`,
    settings: {
      'hnsw.ef_search': Math.min(Math.max(limit, search.efSearch ?? limit + spareCandidates[reach]), 1_000),
      'hnsw.iterative_scan': 'relaxed_order',
      // The planner does not see that every vector lies out of line, and would rather read and sort a table whole: where the statement
      // leaves the choice, it is for the index.
      enable_seqscan: 'off',
      enable_sort: 'off',
      // What cannot but be scanned, such as the one row of the corpus, then seems so dear that it would be compiled, for 20 ms.
      jit: 'off',
    },
  }
}

/** The best chunks by BM25. */
export async function searchBm25(tenant: TenantDb, search: { tokens: string[]; limit: number; repositoryIds: string[] }): Promise<Hit[]> {
  return searchTerms(tenant, 'chunks', search, (question, scope) => ({
    text: `select id as "chunkId", -(sparse <#> $1::sparsevec) as score from knowledge_base
      where lex @@ $2::tsquery and gone_at is null ${scope.and(3)} order by sparse <#> $1::sparsevec limit ${Math.floor(search.limit)}`,
    values: [question.sparse, question.candidates, ...scope.values],
  }))
}

/** The best files by BM25 of their whole text and path. */
export async function searchFiles(tenant: TenantDb, search: { tokens: string[]; limit: number; repositoryIds: string[] }): Promise<FileHit[]> {
  return searchTerms(tenant, 'files', search, (question, scope) => ({
    text: `select id as "fileId", path, -(sparse <#> $1::sparsevec) as score from file
      where lex @@ $2::tsquery ${scope.and(3)} order by sparse <#> $1::sparsevec limit ${Math.floor(search.limit)}`,
    values: [question.sparse, question.candidates, ...scope.values],
  }))
}

/** The condition that keeps a search within repositories, with its values. */
type Scope = { and(parameter: number): string; values: unknown[] }
/** No condition: every repository of the tenant is allowed. */
const unlimited: Scope = { and: () => '', values: [] }
const limitTo = (repositoryIds: string[]): Scope => ({ and: (parameter) => `and repository_id = any($${parameter}::uuid[])`, values: [repositoryIds] })
type Question = { sparse: Buffer; candidates: string }

async function searchTerms<Row>(
  tenant: TenantDb,
  kind: 'chunks' | 'files',
  search: { tokens: string[]; limit: number; repositoryIds: string[] },
  toQuery: (question: Question, scope: Scope) => { text: string; values: unknown[] },
): Promise<Row[]> {
  const hashes = [...new Set(search.tokens.map(toTermHash))]
  if (hashes.length === 0 || search.repositoryIds.length === 0 || search.limit < 1) return []
  return inScope(tenant, search.repositoryIds, async (tx, scope) => {
    const terms = await tx.query<TermFrequency>(
      `select hash, term.${kind} as df, corpus.${kind} as documents from term, corpus where hash = any($1::int[]) and term.${kind} > 0 order by term.${kind}, hash`,
      [hashes],
    )
    if (terms.length === 0) return []
    const sparse = toSparseBytes(new Map(terms.map((term) => [term.hash, term])), ({ documents, df }) => toIdf(documents, df))
    const ask = (candidates: string) => {
      const { text, values } = toQuery({ sparse, candidates }, scope)
      return tx.query<Row>(text, values)
    }
    const [candidates, wider] = toCandidates(terms)
    const rows = await ask(candidates)
    return wider !== undefined && rows.length < search.limit ? ask(wider) : rows
  })
}

/** How many repositories a tenant had when it was last searched; a wrong number costs time only. */
const repositoryCounts = new WeakMap<TenantDb, number>()
const repositoriesQuery = 'select id from repository'
/**
 * The lock, which only a switch of spaces waits for, comes before the snapshot: columns change their names at once for everybody,
 * and the rows under a name must be those of the snapshot.
 */
const lockChunks = 'lock table knowledge_base in access share mode'

function isUnlimited(tenant: TenantDb, repositoryIds: unknown[], allowed: string[]): boolean {
  repositoryCounts.set(tenant, repositoryIds.length)
  const ids = new Set<unknown>(allowed)
  return repositoryIds.every((id) => ids.has(id))
}

/** Runs a search limited to repositories; without any condition when that is all of them, which spares the index a filter. */
function inScope<Row>(tenant: TenantDb, repositoryIds: string[], run: (tx: Transaction, scope: Scope) => Promise<Row[]>): Promise<Row[]> {
  return readTenant(tenant, (tx, repositories) => run(tx, isUnlimited(tenant, repositories.map(({ id }) => id), repositoryIds) ? unlimited : limitTo(repositoryIds)), { prologue: repositoriesQuery })
}
