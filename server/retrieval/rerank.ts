import { NuraError } from '#db/nura-error.ts'
import type { Reranker } from '../models/reranker.ts'
import type { RankedChunk } from './rank.ts'

/** How the reranker's word counts against the ranking's, for a passage whose name or path was asked for by name and for any other. */
const share = { named: 0.15, other: 0.6 }

export type Reranked = {
  ranked: RankedChunk[]
  /** For the trace; `fault` says why the order stayed as it was. */
  told: { model: string; texts: number; fault: string | null }
}

/** What a reranker is to judge: the best of a ranking, with their texts. */
export type Rerankable = { query: string; ranked: RankedChunk[]; texts: ReadonlyMap<string, string>; signal?: AbortSignal }

/**
 * The same chunks in an order that a reranker has a say in. Whatever goes wrong with it leaves the order as it was.
 *
 * score = best · ((1 − share) · own / best + share · reranked / best reranked); scores stay comparable within the search.
 * @param texts by chunk id; a chunk without one keeps its score
 */
export async function rerank(reranker: Reranker, { query, ranked, texts, signal }: Rerankable): Promise<Reranked> {
  const judged = ranked.filter(({ chunkId }) => texts.has(chunkId)).slice(0, reranker.maxTexts)
  const told = { model: reranker.id, texts: judged.length, fault: null }
  if (judged.length < 2) return { ranked, told }
  try {
    const scores = await reranker.rerank(query, judged.map(({ chunkId, path }) => `${path}\n${texts.get(chunkId)}`), signal)
    return { ranked: blend(ranked, new Map(judged.map(({ chunkId }, at) => [chunkId, scores[at]!]))), told }
  } catch (error) {
    signal?.throwIfAborted()
    return { ranked, told: { ...told, fault: error instanceof NuraError ? error.message : 'The reranker failed.' } }
  }
}

/** @param scores of the reranker, by chunk id */
function blend(ranked: RankedChunk[], scores: ReadonlyMap<string, number>): RankedChunk[] {
  const best = ranked[0]!.score
  const high = Math.max(...scores.values())
  if (!(high > 0)) return ranked
  const blended = ranked.map((chunk) => {
    const score = scores.get(chunk.chunkId)
    if (score === undefined) return chunk
    const part = share[isNamed(chunk) ? 'named' : 'other']
    return { ...chunk, score: best * (((1 - part) * chunk.score) / best + (part * Math.max(0, score)) / high) }
  })
  // Equals stay in the order that the ranking gave them.
  return blended.toSorted((a, b) => b.score - a.score)
}

/** Whether the question names what the chunk defines, or where it stands: whoever writes a name means it. */
function isNamed({ legs }: RankedChunk): boolean {
  return (legs.symbol ?? 0) >= 1 || (legs.path ?? 0) >= 1
}
