import type { Query } from './query.ts'

export type NamedSymbol = { name: string; container: string | null; kind: string }

/** What a match is worth by how the question spells the name. */
const spelled = { asName: 1, joined: 0.6, word: 0.25 }
const inContainer = 1.5
/** A heading or a constant is less often what is asked for than a definition of behaviour. */
const kindShare: Record<string, number> = { constant: 0.6, heading: 0.4, module: 0.6 }

/**
 * How well definitions match the names in a question, in the order given. A name that many things have says little: each
 * match is divided by the root of the number of definitions of that name.
 */
export function scoreSymbols(symbols: NamedSymbol[], query: Pick<Query, 'names' | 'likelyNames' | 'containers'>): number[] {
  const names = new Set(query.names)
  const containers = new Set(query.containers)
  const words = new Set(query.likelyNames)
  const counts = new Map<string, number>()
  for (const { name } of symbols) counts.set(name.toLowerCase(), (counts.get(name.toLowerCase()) ?? 0) + 1)
  return symbols.map(({ name, container, kind }) => {
    const lower = name.toLowerCase()
    const base = names.has(lower)
      ? spelled.asName
      : isJoined(lower, query.likelyNames)
        ? spelled.joined
        : words.has(lower)
          ? spelled.word
          : 0
    const held = container !== null && containers.has(container.toLowerCase()) ? inContainer : 1
    return (base * held * (kindShare[kind] ?? 1)) / Math.sqrt(counts.get(lower)!)
  })
}

/** Made of two words of the question, such as `privatekey`. */
function isJoined(name: string, words: string[]): boolean {
  return words.some(
    (word) =>
      word.length > 1 &&
      word.length < name.length &&
      name.startsWith(word) &&
      words.includes(name.slice(word.length).replace(/^_/, '')),
  )
}
