import type { Found } from './legs.ts'
import type { Query } from './query.ts'
import type { RankedChunk } from './rank.ts'
import type { Reranked } from './rerank.ts'
import type { Dropped } from './select-passages.ts'
import type { Weights } from './weights.ts'

/**
 * What a search considered and why it chose as it did, kept with the answer. Names, places and numbers; no text of any
 * source. At most some 20 kB.
 */
export type SearchTrace = {
  kind: Query['kind']
  tokens: string[]
  names: string[]
  paths: string[]
  /** Every repository that the audience may be answered from; nothing else was looked at. */
  repositories: string[]
  /** Embedding space that was compared in; null when the vector leg did not run, `vectorFault` then says why. */
  space: string | null
  vectorFault: string | null
  weights: Weights
  /** What a reranker had to say; absent where none is configured. */
  reranked?: Reranked['told']
  /** Hits by leg. */
  found: Record<string, number>
  considered: {
    path: string
    startLine: number
    endLine: number
    role: string
    score: number
    fileScore: number
    legs: RankedChunk['legs']
    chosen: boolean
  }[]
  dropped: Dropped[]
}

const most = { considered: 25, dropped: 15, words: 60 }

export function toTrace(parts: {
  query: Query
  repositories: string[]
  found: Found
  weights: Weights
  ranked: RankedChunk[]
  reranked: Reranked['told'] | null
  lines: Map<string, { startLine: number; endLine: number }>
  chosen: Set<string>
  dropped: Dropped[]
}): SearchTrace {
  const { query, found, weights, ranked, lines, chosen } = parts
  return {
    kind: query.kind,
    tokens: query.tokens.slice(0, most.words),
    names: query.names,
    paths: query.paths,
    repositories: parts.repositories.slice(0, most.words),
    space: found.space,
    vectorFault: found.vectorFault,
    weights,
    ...(parts.reranked ? { reranked: parts.reranked } : {}),
    found: {
      vector: found.vector.length,
      bm25: found.bm25.length,
      file: found.file.length,
      symbol: found.symbol.length,
      path: found.path.length,
    },
    considered: ranked.slice(0, most.considered).map(({ chunkId, path, role, score, fileScore, legs }) => ({
      path,
      startLine: lines.get(chunkId)?.startLine ?? 0,
      endLine: lines.get(chunkId)?.endLine ?? 0,
      role,
      score: round(score),
      fileScore: round(fileScore),
      legs: Object.fromEntries(Object.entries(legs).map(([leg, value]) => [leg, round(value)])),
      chosen: chosen.has(chunkId),
    })),
    dropped: parts.dropped.slice(0, most.dropped),
  }
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
