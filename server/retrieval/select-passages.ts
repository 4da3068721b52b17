import type { RankedChunk } from './rank.ts'

/** Why a candidate with text is not among the passages. */
export type Dropped = { chunkId: string; path: string; reason: string }

const duplicateShare = 0.95
const fewestWords = 12

/**
 * The first `limit` of a ranking without what repeats an earlier passage of another file word for word or nearly so:
 * vendored copies, generated twins.
 *
 * @param contents text by chunk id; a chunk without is left out, since its file has changed meanwhile.
 */
export function selectPassages(
  ranked: RankedChunk[],
  contents: Map<string, string>,
  limit: number,
): { chosen: RankedChunk[]; dropped: Dropped[] } {
  const chosen: { chunk: RankedChunk; words: Set<string> }[] = []
  const dropped: Dropped[] = []
  for (const chunk of ranked) {
    if (chosen.length === limit) break
    const content = contents.get(chunk.chunkId)
    if (content === undefined) {
      dropped.push({ chunkId: chunk.chunkId, path: chunk.path, reason: 'changed while searching' })
      continue
    }
    const words = new Set(content.match(/[\p{L}\p{N}_]+/gu))
    const twin = chosen.find((other) => other.chunk.fileId !== chunk.fileId && isTwin(other.words, words))
    if (twin) dropped.push({ chunkId: chunk.chunkId, path: chunk.path, reason: `repeats ${twin.chunk.path}` })
    else chosen.push({ chunk, words })
  }
  return { chosen: chosen.map(({ chunk }) => chunk), dropped }
}

function isTwin(one: Set<string>, other: Set<string>): boolean {
  if (Math.min(one.size, other.size) < fewestWords) return false
  if (Math.min(one.size, other.size) < duplicateShare * Math.max(one.size, other.size)) return false
  let shared = 0
  for (const word of one) if (other.has(word)) shared++
  return shared / (one.size + other.size - shared) >= duplicateShare
}
