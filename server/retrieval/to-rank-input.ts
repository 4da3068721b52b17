import type { CandidateFileRow } from '#db/tenant/candidates.ts'
import type { ChunkPlace } from '#db/tenant/chunks.ts'
import type { Found } from './legs.ts'
import type { Query } from './query.ts'
import type { CandidateChunk, CandidateFile } from './rank.ts'
import { scoreSymbols } from './score-symbols.ts'
import { tokens } from '../tokens.ts'

/** What the legs found, laid on the files and chunks that they found it in. */
export function toRankInput(
  query: Query,
  found: Found,
  rows: { files: CandidateFileRow[]; chunks: ChunkPlace[] },
): { files: CandidateFile[]; chunks: CandidateChunk[] } {
  const vector = new Map(found.vector.map(({ chunkId, score }) => [chunkId, score]))
  const bm25 = new Map(found.bm25.map(({ chunkId, score }) => [chunkId, score]))
  const file = new Map(found.file.map(({ fileId, score }) => [fileId, score]))
  const asked = new Set(query.tokens)
  const symbol = scoreChunksBySymbol(query, found, rows.chunks)
  return {
    files: rows.files.map((row) => ({
      ...row,
      legs: legsOf({ file: file.get(row.fileId), path: Math.max(scorePath(row.path, query.paths), scoreName(row.path, asked)) }),
    })),
    chunks: rows.chunks.map(({ chunkId, fileId, ordinal }) => ({
      chunkId,
      fileId,
      ordinal,
      legs: legsOf({ vector: vector.get(chunkId), bm25: bm25.get(chunkId), symbol: symbol.get(chunkId) }),
    })),
  }
}

/** A definition counts for the chunk that its first line stands in; of several with one name, the best. */
function scoreChunksBySymbol(query: Query, found: Found, chunks: ChunkPlace[]): Map<string, number> {
  const scores = scoreSymbols(found.symbol, query)
  const byFile = Map.groupBy(chunks, (chunk) => chunk.fileId)
  const best = new Map<string, Map<string, number>>()
  found.symbol.forEach((symbol, at) => {
    const chunk = byFile
      .get(symbol.fileId)
      ?.find(({ startLine, endLine }) => startLine <= symbol.startLine && symbol.startLine <= endLine)
    const score = scores[at]!
    if (!chunk || score === 0) return
    const names = best.get(chunk.chunkId) ?? new Map<string, number>()
    names.set(symbol.name, Math.max(score, names.get(symbol.name) ?? 0))
    best.set(chunk.chunkId, names)
  })
  return new Map([...best].map(([chunkId, names]) => [chunkId, [...names.values()].reduce((sum, score) => sum + score, 0)]))
}

/** 1 for the path or the end of it as written, .7 for whole folders inside it, .4 for any part. */
function scorePath(path: string, fragments: string[]): number {
  const lower = `/${path.toLowerCase()}`
  return Math.max(
    0,
    ...fragments.map((fragment) => {
      const asked = fragment.toLowerCase().replace(/^\/+|\/+$/g, '')
      if (lower.endsWith(`/${asked}`)) return 1
      if (lower.includes(`/${asked}/`)) return 0.7
      return lower.includes(asked) ? 0.4 : 0
    }),
  )
}

/** How alike the words of the question and of the file's name are, 0 to .8: the geometric mean of what each has of the other. */
function scoreName(path: string, asked: Set<string>): number {
  const stem = path.slice(path.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '')
  const named = new Set(tokens(stem))
  const shared = [...named].filter((token) => asked.has(token)).length
  return shared === 0 ? 0 : 0.8 * Math.sqrt((shared / named.size) * (shared / asked.size))
}

function legsOf<L extends string>(legs: Record<L, number | undefined>): Partial<Record<L, number>> {
  return Object.fromEntries(
    Object.entries<number | undefined>(legs).filter(([, score]) => score !== undefined && score !== 0),
  ) as Partial<Record<L, number>>
}
