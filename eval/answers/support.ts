import { tokens } from '#server/tokens.ts'
import type { IndexedChunk } from '../open-index.ts'

/** From this share on a passage is taken to say what a sentence says. */
export const leastSupport = 0.5

/** Where in a text something stands, which is checked as such and not as a word: «(line 12)», «lines 3–9». */
const places = /\blines?\s+\d+(?:\s*[–-]\s*\d+)?(?:,\s*\d+(?:\s*[–-]\s*\d+)?)*/gi

/** How rare each word is among the chunks, as BM25 has it: `ln(1 + (N − df + .5) / (df + .5))`; the most for one that none holds. */
export function rarityIn(chunks: Pick<IndexedChunk, 'path' | 'scope' | 'content'>[]): (word: string) => number {
  const held = new Map<string, number>()
  for (const chunk of chunks) for (const word of wordsOf(chunk)) held.set(word, (held.get(word) ?? 0) + 1)
  return (word) => Math.log(1 + (chunks.length - (held.get(word) ?? 0) + 0.5) / ((held.get(word) ?? 0) + 0.5))
}

/**
 * How much of a sentence the passages hold that it cites: `Σ rarity(w ∈ sentence ∩ passages) / Σ rarity(w ∈ sentence)`, over the
 * distinct words as the index has them, which are stemmed, identifiers also in parts, stop words left out.
 *
 * Words are weighted by how rare they are because the few that a sentence is about decide whether its source speaks of it, and the
 * many of which sentences are built («is», «calls», «function») are in any passage. What is made up weighs most of all, since no
 * chunk holds it. It cannot tell a sentence from its denial. 1 for a sentence without any such word.
 */
export function support(sentence: string, passages: Pick<IndexedChunk, 'path' | 'scope' | 'content'>[], rarity: (word: string) => number): number {
  const said = [...new Set(tokens(sentence.replace(places, ' ')))]
  const held = new Set(passages.flatMap((passage) => [...wordsOf(passage)]))
  const weigh = (words: string[]) => words.reduce((sum, word) => sum + rarity(word), 0)
  return said.length === 0 ? 1 : weigh(said.filter((word) => held.has(word))) / weigh(said)
}

function wordsOf({ path, scope, content }: Pick<IndexedChunk, 'path' | 'scope' | 'content'>): Set<string> {
  return new Set(tokens(`${path}\n${scope.join('\n')}\n${content}`))
}
