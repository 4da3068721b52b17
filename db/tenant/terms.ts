/** The most dimensions that pgvector's `sparsevec` has. */
const dimensions = 1_000_000_000
/** The most non-zero entries of one `sparsevec`. */
const maxTerms = 16_000
/** Above it a count no longer moves the score, and it would no longer be readable back from a float4 weight. */
const maxFrequency = 255
const k1 = 1.2
const b = 0.75

/** What lexical search knows of one text: its distinct terms with their counts, and its length in tokens. */
export type TermCounts = { frequencies: Map<number, number>; length: number }

/** 1 to 10⁹ (30 bits): FNV-1a over UTF-16 code units, finished by murmur3's mixer, so that near words fall apart. */
export function toTermHash(token: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < token.length; at++) hash = Math.imul(hash ^ token.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (((hash ^ (hash >>> 16)) >>> 0) % dimensions) + 1
}

export function countTerms(tokens: string[]): TermCounts {
  const frequencies = new Map<number, number>()
  for (const token of tokens) {
    const hash = toTermHash(token)
    frequencies.set(hash, (frequencies.get(hash) ?? 0) + 1)
  }
  if (frequencies.size <= maxTerms) return { frequencies, length: tokens.length }
  const kept = [...frequencies].sort((left, right) => right[1] - left[1] || left[0] - right[0]).slice(0, maxTerms)
  return { frequencies: new Map(kept), length: tokens.length }
}

/** The binary form of a `tsvector` whose lexemes are the term hashes. */
export function toLex({ frequencies }: TermCounts): Buffer {
  // Each is its digits, a zero that ends them, and two that say that it has no positions. PostgreSQL puts them in order.
  const text = Array.from(frequencies.keys(), (hash) => `${hash}\0\0\0`).join('')
  const bytes = Buffer.allocUnsafe(4 + text.length)
  bytes.write(text, bytes.writeInt32BE(frequencies.size, 0), 'latin1')
  return bytes
}

/**
 * The binary form of a `sparsevec` with the BM25 weight of each term, idf left out: tf·(k1+1) / (tf + k1·(1 − b + b·length/mean)),
 * k1 1.2, b .75 (Robertson and Zaragoza 2009). Its inner product with a question's idf vector is the BM25 score.
 */
export function toSparse({ frequencies, length }: TermCounts, meanLength: number): Buffer {
  const norm = lengthNorm(length, meanLength)
  return toSparseBytes(frequencies, (count) => weigh(Math.min(count, maxFrequency), norm))
}

/** The binary form of a `sparsevec`: the hashes in order, counted from 0, and then what each weighs. */
export function toSparseBytes<Value>(entries: ReadonlyMap<number, Value>, weightOf: (value: Value) => number): Buffer {
  const hashes = Int32Array.from(entries.keys()).sort()
  const bytes = Buffer.allocUnsafe(12 + 8 * hashes.length)
  let at = 0
  for (const value of [dimensions, hashes.length, 0]) at = bytes.writeInt32BE(value, at)
  for (const hash of hashes) at = bytes.writeInt32BE(hash - 1, at)
  for (const hash of hashes) at = bytes.writeFloatBE(weightOf(entries.get(hash)!), at)
  return bytes
}

/** The BM25 score of a text, as the inner product of `toSparse` and a question's idf gives it. @param idf by term hash */
export function scoreTerms({ frequencies, length }: TermCounts, idf: ReadonlyMap<number, number>, meanLength: number): number {
  const norm = lengthNorm(length, meanLength)
  let score = 0
  for (const [hash, weight] of idf) {
    const count = frequencies.get(hash)
    if (count !== undefined) score += weight * weigh(Math.min(count, maxFrequency), norm)
  }
  return score
}

/** The same weights for another mean length. */
export function reweigh(sparse: string, length: number, oldMean: number, newMean: number): Buffer {
  return toSparse(readTerms(sparse, length, oldMean), newMean)
}

/** What `toSparse` was made from, exactly, as counts are whole numbers; one above 255 comes back as 255. */
export function readTerms(sparse: string, length: number, meanLength: number): TermCounts {
  const norm = lengthNorm(length, meanLength)
  return { frequencies: new Map(readSparse(sparse).map(([hash, weight]) => [hash, Math.round((weight * norm) / (k1 + 1 - weight))])), length }
}

/** A text that has lost some tokens, all of which it had, and got others. A count that was cut off at 255 stays there. */
export function changeTerms({ frequencies, length }: TermCounts, lost: string[], gained: string[]): TermCounts {
  const changed = new Map(frequencies)
  const change = (token: string, by: number) => {
    const hash = toTermHash(token)
    const count = changed.get(hash) ?? 0
    if (count < maxFrequency) changed.set(hash, count + by)
  }
  for (const token of gained) change(token, 1)
  for (const token of lost) change(token, -1)
  for (const [hash, count] of changed) if (count <= 0) changed.delete(hash)
  return { frequencies: changed, length: length + gained.length - lost.length }
}

/** idf = ln(1 + (documents − df + .5) / (df + .5)): never negative. */
export function toIdf(documents: number, df: number): number {
  return Math.log(1 + (documents - df + 0.5) / (df + 0.5))
}

function readSparse(text: string): [hash: number, weight: number][] {
  const inside = text.slice(1, text.lastIndexOf('}'))
  return inside === '' ? [] : inside.split(',').map((entry) => entry.split(':').map(Number) as [number, number])
}

const lengthNorm = (length: number, mean: number) => k1 * (1 - b + (b * length) / Math.max(mean, 1))
const weigh = (count: number, norm: number) => (count * (k1 + 1)) / (count + norm)
