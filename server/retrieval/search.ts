import type { TenantDb } from '#db/index.ts'
import { readCandidates } from '#db/tenant/candidates.ts'
import { readChunks } from '#db/tenant/chunks.ts'
import { readStatistics } from '#db/tenant/frequencies.ts'
import type { Repository } from '#db/tenant/repository.ts'
import type { CacheQueries } from '../models/cache-embedder.ts'
import type { Embedder, Embedders } from '../models/embedder.ts'
import type { Reranker } from '../models/reranker.ts'
import type { DecidedAudience } from './audience.ts'
import { evidenceStrength, type EvidenceStrength } from './evidence-strength.ts'
import { layOver, withFocus, withOverlay, withoutGone } from './lay-over.ts'
import { runLegs, type Found } from './legs.ts'
import { fileEdges } from './neighbours.ts'
import type { Overlay, PassageRow } from './overlay.ts'
import type { Passage } from './passage.ts'
import { toQuery, type Query } from './query.ts'
import { toPassage } from './to-passage.ts'
import { rank, type CandidateFile, type RankedChunk } from './rank.ts'
import { rerank } from './rerank.ts'
import { readableRepositories } from './readable-repositories.ts'
import type { ReadableParts } from './readable-repositories.ts'
import { selectPassages } from './select-passages.ts'
import { toRankInput } from './to-rank-input.ts'
import { toTrace, type SearchTrace } from './trace.ts'
import { weightsOf } from './weights.ts'

export type SearchParts = ReadableParts & {
  embedders: Pick<Embedders, 'of'>
  /** Remembers vectors of questions; without it each is made anew. */
  cacheQueries?: CacheQueries
  /** Null and absent alike: the ranking stands as it is. */
  reranker?: Reranker | null
}

export type SearchRequest = {
  question: string
  audience: DecidedAudience
  /** Most passages; 16 unless said. */
  limit?: number
  /** Name of the one repository to look in. One that does not exist or may not be read finds nothing. */
  repository?: string
  /** Weight of each content type, 1 being neutral. */
  profile?: Partial<Record<CandidateFile['contentType'], number>>
  /** Laid over the index for this question; left out where its repository may not be read. */
  overlay?: Overlay
  signal?: AbortSignal
}

export type SearchResult = {
  query: Query
  passages: Passage[]
  /** What was searched: all that the audience may be answered from, or the one asked for. */
  repositories: Repository[]
  /** What was laid over the index. */
  overlay: Overlay | null
  strength: EvidenceStrength
  /** `vector` when the answer rests on lexical search alone, though the tenant has vectors. */
  degraded: 'vector' | null
  trace: SearchTrace
  /** Milliseconds by leg and phase, and `total`. */
  timings: Record<string, number>
}

const passagesUnlessSaid = 16
/** Files whose neighbours are looked up. */
const expanded = 12
/** Read beyond the limit, to make up for what is dropped. */
const spare = 8

/**
 * The passages that answer a question best, among those that its readers may see.
 *
 * What may be read is decided first, then every leg is confined to it. The embedder may fail, and the result says so; the
 * store may not.
 * @throws NuraError `audience-unknown`
 */
export async function search(parts: SearchParts, tenant: TenantDb, request: SearchRequest): Promise<SearchResult> {
  const start = performance.now()
  const { question, audience, limit = passagesUnlessSaid, signal } = request
  const readable = await readableRepositories(parts, tenant, audience)
  const repositories = request.repository === undefined ? readable : readable.filter(({ name }) => name === request.repository)
  const repositoryIds = repositories.map(({ id }) => id)
  const overlay = request.overlay && repositoryIds.includes(request.overlay.repositoryId) ? request.overlay : null
  const audienceDone = performance.now()
  signal?.throwIfAborted()

  const query = toQuery(
    question,
    repositories.map(({ name }) => name),
  )
  const indexed = await runLegs(tenant, (space) => toQueryEmbedder(parts, tenant, space), query, repositoryIds, signal)
  const found = overlay ? layOver(overlay, query, indexed, await readStatistics(tenant, query.tokens)) : indexed
  signal?.throwIfAborted()
  const rankStart = performance.now()
  const weights = weightsOf(query, found.space)
  const profile = { code: 1, documentation: 1, business: 1, ...request.profile }
  const { reranker } = parts
  const { ranked, places, head, read } = await tenant.snapshot(async (snapshot) => {
    const order = await rankFound(snapshot, query, found, repositoryIds, overlay, { weights, profile })
    const head = order.ranked.slice(0, Math.max(limit + spare, reranker?.maxTexts ?? 0))
    return { ...order, head, read: await readChunks(snapshot, head.map(({ chunkId }) => chunkId)) }
  })
  const rows = new Map([...read, ...(overlay?.files.flatMap(({ chunks }) => chunks) ?? [])].map((row): [string, PassageRow] => [row.chunkId, row]))
  const texts = new Map([...rows].map(([id, { content }]) => [id, content]))
  const rerankStart = performance.now()
  const reranked = reranker ? await rerank(reranker, { query: query.text, ranked: head, texts, signal }) : null
  const rerankEnd = performance.now()
  const { chosen: best, dropped } = selectPassages(reranked?.ranked ?? head, texts, limit)
  const chosen = withFocus(best, overlay, query, limit)

  const passages = chosen.map(({ chunkId, score, legs }, at) => toPassage(rows.get(chunkId)!, { n: at + 1, score, legs }))
  const strength = evidenceStrength(query, passages, indexed.frequencies)
  const trace = toTrace({
    query,
    repositories: repositories.map(({ name }) => name),
    found,
    weights,
    ranked: reranked ? [...reranked.ranked, ...ranked.slice(head.length)] : ranked,
    reranked: reranked?.told ?? null,
    lines: places,
    chosen: new Set(chosen.map(({ chunkId }) => chunkId)),
    dropped,
  })
  const end = performance.now()
  const timings = { ...found.timings, audience: audienceDone - start, rank: end - rankStart - (rerankEnd - rerankStart), ...(reranked ? { rerank: rerankEnd - rerankStart } : {}), total: end - start }
  return { query, passages, repositories, overlay, strength, degraded: found.vectorFault === null ? null : 'vector', trace, timings }
}

function toQueryEmbedder({ embedders, cacheQueries }: SearchParts, tenant: TenantDb, space: string): Embedder | null {
  const embedder = embedders.of(space)
  return embedder && (cacheQueries?.(embedder, tenant.id) ?? embedder)
}

/** Ranks what the legs found, then once more with the neighbours of the best files among it. */
async function rankFound(
  tenant: TenantDb,
  query: Query,
  found: Found,
  repositoryIds: string[],
  overlay: Overlay | null,
  how: Pick<Parameters<typeof rank>[0], 'weights' | 'profile'>,
): Promise<{ ranked: RankedChunk[]; places: Map<string, { startLine: number; endLine: number }> }> {
  const chunkIds = [...new Set([...found.vector, ...found.bm25].map(({ chunkId }) => chunkId))]
  const fileIds = [...new Set([...found.file, ...found.symbol, ...found.path].map(({ fileId }) => fileId))]
  const rows = withOverlay(overlay, await readCandidates(tenant, { chunkIds, fileIds, repositoryIds }))
  const first = rank({ ...how, ...toRankInput(query, found, rows), edges: [] })
  const best = new Set<string>()
  for (const { fileId } of first) {
    if (best.size === expanded) break
    best.add(fileId)
  }
  const edges =
    how.weights.graph === 0
      ? []
      : await fileEdges(
          tenant,
          rows.files.filter(({ fileId }) => best.has(fileId)),
          repositoryIds,
        )
  const known = new Set(rows.files.map(({ fileId }) => fileId))
  const added = [...new Set(edges.flatMap(({ from, to }) => [from, to]))].filter((fileId) => !known.has(fileId))
  const more = withoutGone(overlay, await readCandidates(tenant, { chunkIds: [], fileIds: added, repositoryIds }))
  const all = { files: [...rows.files, ...more.files], chunks: [...rows.chunks, ...more.chunks] }
  const ranked = edges.length === 0 ? first : rank({ ...how, ...toRankInput(query, found, all), edges })
  return { ranked, places: new Map(all.chunks.map((chunk) => [chunk.chunkId, chunk])) }
}
