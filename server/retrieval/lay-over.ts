import type { CandidateFileRow } from '#db/tenant/candidates.ts'
import type { ChunkPlace } from '#db/tenant/chunks.ts'
import type { TermStatistics } from '#db/tenant/frequencies.ts'
import { scoreTerms, toIdf, toTermHash } from '#db/tenant/terms.ts'
import type { TermCounts } from '#db/tenant/terms.ts'
import type { Found } from './legs.ts'
import { overlayChunkAt, stillThere } from './overlay.ts'
import type { Overlay, OverlayChunk } from './overlay.ts'
import type { Query } from './query.ts'
import type { RankedChunk } from './rank.ts'

/**
 * What the legs would have found had the overlay been indexed: the same formulas over the same figures, so that what only
 * the overlay holds and what the index holds compare. Its pieces have no vectors; each is taken to lie as near as its
 * words say.
 */
export function layOver(overlay: Overlay, query: Query, found: Found, statistics: TermStatistics): Found {
  const chunks = overlay.files.flatMap((file) => file.chunks)
  const bm25 = scored(chunks, ({ terms }) => terms, query, statistics.chunks).map(({ item, score }) => ({ chunkId: item.chunkId, score }))
  const file = scored(overlay.files, ({ terms }) => terms, query, statistics.files).map(({ item, score }) => ({ fileId: item.row.fileId, path: item.row.path, score }))
  const wanted = new Set([...query.names, ...query.likelyNames])
  const symbol = overlay.files.flatMap(({ symbols }) => symbols.filter(({ name }) => wanted.has(name.toLowerCase())))
  return {
    ...found,
    vector: [...found.vector, ...near(bm25, found)],
    bm25: [...found.bm25, ...bm25],
    file: [...found.file, ...file],
    symbol: [...stillThere(found.symbol, overlay), ...symbol],
  }
}

function scored<Item>(items: Item[], termsOf: (item: Item) => TermCounts, { tokens }: Query, { documents, held, meanLength }: TermStatistics['chunks']): { item: Item; score: number }[] {
  const all = items.map((item) => ({ item, terms: termsOf(item) }))
  const own = all.reduce((sum, { terms }) => sum + terms.length, 0) / Math.max(1, all.length)
  const idf = new Map(
    [...new Set(tokens.map(toTermHash))].map((hash) => {
      const here = all.filter(({ terms }) => terms.frequencies.has(hash)).length
      return [hash, toIdf(documents + all.length, (held.get(hash) ?? 0) + here)]
    }),
  )
  return all.map(({ item, terms }) => ({ item, score: scoreTerms(terms, idf, meanLength || own) })).filter(({ score }) => score > 0)
}

function near(bm25: Found['bm25'], found: Found): Found['vector'] {
  if (found.vector.length === 0) return []
  const cosines = found.vector.map(({ score }) => score)
  const [low, high] = [Math.min(...cosines), Math.max(...cosines)]
  const most = Math.max(...[...bm25, ...found.bm25].map(({ score }) => score))
  return bm25.map(({ chunkId, score }) => ({ chunkId, score: low + (high - low) * (score / most) }))
}

/** The candidates of the index that still hold, and those of the overlay. */
export function withOverlay(overlay: Overlay | null, rows: { files: CandidateFileRow[]; chunks: ChunkPlace[] }): { files: CandidateFileRow[]; chunks: ChunkPlace[] } {
  if (overlay === null) return rows
  const kept = withoutGone(overlay, rows)
  return { files: [...kept.files, ...overlay.files.map(({ row }) => row)], chunks: [...kept.chunks, ...overlay.files.flatMap(({ chunks }) => chunks)] }
}

export function withoutGone(overlay: Overlay | null, { files, chunks }: { files: CandidateFileRow[]; chunks: ChunkPlace[] }): { files: CandidateFileRow[]; chunks: ChunkPlace[] } {
  const kept = stillThere(files, overlay)
  const ids = new Set(kept.map(({ fileId }) => fileId))
  return { files: kept, chunks: chunks.filter(({ fileId }) => ids.has(fileId)) }
}

/** A ranking with the passage that the question is asked on: first when the question points at it, else last unless it is there. */
export function withFocus(chosen: RankedChunk[], overlay: Overlay | null, query: Query, limit: number): RankedChunk[] {
  const focus = overlay?.focus && overlayChunkAt(overlay, { ...overlay.focus, repositoryId: overlay.repositoryId })
  if (!focus) return chosen
  const known = chosen.find(({ chunkId }) => chunkId === focus.chunkId)
  const ranked = known ?? toRanked(focus, chosen)
  const others = chosen.filter((each) => each !== known)
  if (query.names.length === 0 && pointing.test(query.text)) return [{ ...ranked, score: Math.max(ranked.score, chosen[0]?.score ?? 0) }, ...others].slice(0, limit)
  return known ? chosen : [...others.slice(0, limit - 1), ranked]
}

const pointing = /\b(?:this|that|these|those|it|here|line|lines|above|below|change|changed)\b/i

function toRanked({ chunkId, fileId, path }: OverlayChunk, chosen: RankedChunk[]): RankedChunk {
  return { chunkId, fileId, path, score: chosen.at(-1)?.score ?? 0, legs: {}, role: 'source', fileScore: 0 }
}
