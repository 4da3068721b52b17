import { tokens } from '#server/tokens.ts'

const k1 = 1.2
const b = 0.75

/** A text as BM25 counts it. */
export type Counted = { path: string; counts: Map<string, number>; length: number }

export function count(path: string, text: string): Counted {
  return countTokens(path, tokens(text))
}

export function countTokens(path: string, found: readonly string[]): Counted {
  const counts = new Map<string, number>()
  for (const token of found) counts.set(token, (counts.get(token) ?? 0) + 1)
  return { path, counts, length: found.length }
}

/** Lines of a file in pieces of `size`, each headed by the path. */
export function countLines(path: string, text: string, size = 60): Counted[] {
  const lines = text.split('\n')
  const pieces: Counted[] = []
  for (let at = 0; at < lines.length; at += size) pieces.push(count(path, `${path}\n${lines.slice(at, at + size).join('\n')}`))
  return pieces
}

export function rankBm25(pieces: Counted[], question: string): string[] {
  return rankPieces(pieces, tokens(question))
}

/** Exact BM25 (k1 1.2, b .75) over everything given; paths by their best piece, best first. */
export function rankPieces(pieces: Counted[], asked: readonly string[]): string[] {
  const frequency = new Map(asked.map((token) => [token, 0]))
  let total = 0
  for (const piece of pieces) {
    total += piece.length
    for (const token of frequency.keys()) if (piece.counts.has(token)) frequency.set(token, frequency.get(token)! + 1)
  }
  const average = total / Math.max(1, pieces.length)
  const best = new Map<string, number>()
  for (const piece of pieces) {
    let score = 0
    for (const token of asked) {
      const tf = piece.counts.get(token)
      if (tf === undefined) continue
      const df = frequency.get(token)!
      const idf = Math.log(1 + (pieces.length - df + 0.5) / (df + 0.5))
      score += (idf * tf * (k1 + 1)) / (tf + k1 * (1 - b + (b * piece.length) / average))
    }
    if (score > (best.get(piece.path) ?? 0)) best.set(piece.path, score)
  }
  return [...best].sort((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1)).map(([path]) => path)
}
