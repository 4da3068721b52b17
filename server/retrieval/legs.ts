import type { TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { readCorpus } from '#db/tenant/corpus.ts'
import { readFrequencies } from '#db/tenant/frequencies.ts'
import { searchPaths, searchSymbols, type SymbolRow } from '#db/tenant/lookup.ts'
import { searchBm25, searchFiles, searchVector, type FileHit, type Hit } from '#db/tenant/search.ts'
import type { EmbedderOf } from '../models/embedder.ts'
import type { SpanAttributes } from '../tracing/attributes.ts'
import { inSpan } from '../tracing/span.ts'
import type { Query } from './query.ts'

export type Found = {
  vector: Hit[]
  bm25: Hit[]
  file: FileHit[]
  symbol: SymbolRow[]
  path: { fileId: string; path: string }[]
  /** How many chunks hold each token of the query. */
  frequencies: Awaited<ReturnType<typeof readFrequencies>>
  /** The space that the vector leg compared in; null when it did not run. */
  space: string | null
  /** Why the vector leg gave nothing though the tenant has vectors; null when it ran. */
  vectorFault: string | null
  /** Milliseconds by leg; `embed` is the model's share of `vector`. */
  timings: Record<string, number>
}

const limits = { vector: 60, bm25: 100, file: 50, symbolOfName: 6, path: 30 }

/** Runs every leg on what may be read. A failing embedder costs the vector leg only; a failing store fails the search. */
export async function runLegs(
  tenant: TenantDb,
  embedderOf: EmbedderOf,
  query: Query,
  repositoryIds: string[],
  signal?: AbortSignal,
): Promise<Found> {
  const timings: Record<string, number> = {}
  const timed = async <T>(leg: string, run: () => Promise<T>, name = `leg ${leg}`, about: SpanAttributes = {}): Promise<T> => {
    const start = performance.now()
    try {
      return await inSpan(name, about, run)
    } finally {
      timings[leg] = performance.now() - start
    }
  }
  const { tokens, names, likelyNames, paths } = query
  const wanted = [...new Set([...names, ...likelyNames])]
  const [vector, lexical] = await Promise.all([
    timed('vector', () => runVector(tenant, embedderOf, query, repositoryIds, timed, signal)),
    tenant.snapshot((snapshot) =>
      Promise.all([
        timed('bm25', () => searchBm25(snapshot, { tokens, limit: limits.bm25, repositoryIds })),
        timed('file', () => searchFiles(snapshot, { tokens, limit: limits.file, repositoryIds })),
        timed('symbol', () => searchSymbols(snapshot, { names: wanted, limit: limits.symbolOfName, repositoryIds })),
        timed('path', () => searchPaths(snapshot, { fragments: paths, limit: limits.path, repositoryIds })),
        readFrequencies(snapshot, tokens),
      ]),
    ),
  ])
  const [bm25, file, symbol, path, frequencies] = lexical
  return { vector: vector.hits, bm25, file, symbol, path, frequencies, space: vector.space, vectorFault: vector.fault, timings }
}

/** How often a question is embedded when the tenant's space is switched between being read and being searched. */
const embeddings = 2

/** Vectors of another space than the tenant's active one are never compared. */
async function runVector(
  tenant: TenantDb,
  embedderOf: EmbedderOf,
  query: Query,
  repositoryIds: string[],
  timed: <T>(leg: string, run: () => Promise<T>, name?: string, about?: SpanAttributes) => Promise<T>,
  signal?: AbortSignal,
): Promise<{ hits: Hit[]; space: string | null; fault: string | null }> {
  const without = (fault: string | null) => ({ hits: [], space: null, fault })
  for (let attempt = 1; attempt <= embeddings; attempt++) {
    const { activeSpace } = await readCorpus(tenant)
    if (activeSpace === null || repositoryIds.length === 0) return without(null)
    const embedder = embedderOf(activeSpace)
    if (embedder === null) return without(`The index holds vectors of ${activeSpace}, and EMBEDDING_MODELS names no model of that space.`)
    let vector: number[] | undefined
    try {
      ;[vector] = await timed('embed', () => embedder.embed([query.text], 'query', signal), `embeddings ${embedder.space}`, { 'gen_ai.operation.name': 'embeddings', 'gen_ai.request.model': embedder.space })
    } catch (error) {
      signal?.throwIfAborted()
      return without(`${embedder.space} is away: ${error instanceof Error ? error.message : String(error)}`)
    }
    // A text without a single known term has no direction to compare.
    if (vector === undefined || !vector.some((value) => value !== 0)) return without(null)
    try {
      return { hits: await searchVector(tenant, { space: activeSpace, vector, limit: limits.vector, repositoryIds }), space: activeSpace, fault: null }
    } catch (error) {
      if (!(error instanceof NuraError && error.code === 'space-changed')) throw error
    }
  }
  return without('The embedding space was changed again and again while the question was asked.')
}
