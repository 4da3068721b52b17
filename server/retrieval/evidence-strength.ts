import { tokens } from '../tokens.ts'
import type { Query } from './query.ts'

export type EvidenceStrength = {
  /** 0 to 1: how much of what the question is about the best passages speak of. */
  value: number
  /** Words of the question that no passage has, the most telling first. */
  missing: string[]
  /** False when the sources do not seem to hold an answer. */
  isEnough: boolean
}

/** What a passage says, for this purpose. */
export type Spoken = { path: string; scope: string[]; content: string }

/** Below it an answer is «not found»; set where questions about a repository and questions about another part best. */
export const enough = 0.54

const readPassages = 8
const together = 0.3
const partOfWord = 0.7
const partsOfName = 0.5
const shortestShared = 4
/** A name stands for that thing alone. */
const nameShare = 2
/** A plain word that no chunk holds is often another word for what one does. */
const unheardShare = 0.5

/**
 * Coverage of the question's words by the passages, each word weighted by its idf: rare words are what the question is about,
 * names (`Stripe`, `parseForm`) more so, and plain words less that no chunk holds. Most of it is what the first passage has: words
 * scattered over passages answer nothing, and of many passages one holds them by chance. The rest is what any of the first few has.
 *
 * @param frequencies how many of all chunks hold each token of the question.
 */
export function evidenceStrength(
  query: Query,
  passages: Spoken[],
  frequencies: { chunks: number; held: Map<string, number> },
): EvidenceStrength {
  const idf = (token: string) => Math.log(1 + (frequencies.chunks + 0.5) / ((frequencies.held.get(token) ?? 0) + 0.5))
  const words = wordsOf(query)
  const spoken = passages
    .slice(0, readPassages)
    .map(({ path, scope, content }) => new Set(tokens(`${path} ${scope.join(' ')} ${content}`)))
  const all = new Set(spoken.flatMap((each) => [...each]))
  const isHeard = (terms: string[]) => terms.some((term) => (frequencies.held.get(term) ?? 0) > 0)
  const weights = words.map(({ terms, isName }) => Math.max(...terms.map(idf)) * (isName ? nameShare : isHeard(terms) ? 1 : unheardShare))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (total === 0 || spoken.length === 0) return { value: 0, missing: words.map(({ word }) => word), isEnough: false }

  const coverage = (has: Set<string>) => words.reduce((sum, { terms }, at) => sum + weights[at]! * covered(terms, has), 0) / total
  const value = together * coverage(all) + (1 - together) * coverage(spoken[0]!)
  const missing = words
    .map(({ word, terms }, at) => ({ word, weight: weights[at]!, share: covered(terms, all) }))
    .filter(({ share }) => share === 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ word }) => word)
  return { value, missing, isEnough: value >= enough }
}

type Word = { word: string; terms: string[]; isName: boolean }

/** The question's words, each with its terms: an identifier's joined form first, then its parts. */
function wordsOf(query: Query): Word[] {
  const asked = new Set(query.tokens)
  const words = new Map<string, Word>()
  for (const { 0: word, index } of query.text.matchAll(/[\p{L}\p{M}\p{N}_$]+/gu)) {
    const terms = tokens(word)
    const key = terms[0]
    if (key !== undefined && asked.has(key) && !words.has(key)) words.set(key, { word, terms, isName: isName(word, index === 0) })
  }
  return [...words.values()]
}

/** Capitals inside a sentence or a word, underscores and digits make a name. */
function isName(word: string, isFirst: boolean): boolean {
  return /\p{L}.*[\p{Lu}\p{N}_]|_./u.test(word) || (!isFirst && /^\p{Lu}/u.test(word))
}

/** 1 for the word itself; less for a word it begins, or that begins it (`config`, `configuration`), or for its parts. */
function covered(terms: string[], has: Set<string>): number {
  const [whole, ...parts] = terms
  if (has.has(whole!)) return 1
  // One common part of a name (`OAuth` → `auth`, `iOS` → `os`) is not the name.
  if (parts.length > 0) return parts.length > 1 && parts.every((part) => has.has(part)) ? partsOfName : 0
  if (whole!.length < shortestShared) return 0
  for (const token of has)
    if (token.length >= shortestShared && (token.startsWith(whole!) || whole!.startsWith(token))) return partOfWord
  return 0
}
