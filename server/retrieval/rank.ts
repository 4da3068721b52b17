import { fileRole, type FileRole } from './file-role.ts'
import type { Leg } from './passage.ts'
import type { Weights } from './weights.ts'

/** A file that some leg found, with what the legs said of the file as a whole. */
export type CandidateFile = {
  fileId: string
  repositoryId: string
  path: string
  contentType: 'code' | 'documentation' | 'business'
  /** Terms of the whole file. */
  tokenLength: number
  legs: Partial<Record<'file' | 'path', number>>
}

/** A chunk of such a file, with the raw scores of the legs that found it; none when only its file was found. */
export type CandidateChunk = {
  chunkId: string
  fileId: string
  ordinal: number
  legs: Partial<Record<'vector' | 'bm25' | 'symbol', number>>
}

/** One file names another, by an import, a call or a test. */
export type FileEdge = { from: string; to: string; kind: 'import' | 'call' | 'reference' | 'test' }

export type RankInput = {
  weights: Weights
  /** Weight of each content type, 1 being neutral. */
  profile: Record<CandidateFile['contentType'], number>
  files: CandidateFile[]
  chunks: CandidateChunk[]
  edges: FileEdge[]
}

export type RankedChunk = {
  chunkId: string
  fileId: string
  path: string
  score: number
  /** Each leg scaled to its best hit of this search. */
  legs: Partial<Record<Leg, number>>
  role: FileRole
  /** Score of the file that this chunk stands in; the chunk's own share of it is `score`. */
  fileScore: number
}

/** What the second and third best chunks of a program's file add to its first. */
const chunkShares = [1, 0.35, 0.2]
/** What a chunk has of its file's score whatever it scores itself: one part of a program explains another, one topic of a document less. */
const sharedWithin = { program: 0.4, prose: 0.1 }
/** So many chunks of a file stand as they are; each further one is worth this much of it, so that one file does not fill the list. */
const uncrowded = 10
const crowding = 0.7
/** Files whose edges are followed, best first. */
const expanded = 8
const edgeWeight: Record<FileEdge['kind'], number> = { import: 1, call: 0.7, reference: 0.4, test: 0.3 }

/**
 * Fuses the legs into one order, best first. Pure: no text is read and the same input gives the same order.
 *
 * own   = w_bm25·bm25 + w_vector·vector + w_symbol·symbol, of a chunk
 * file  = (Σ shareₖ·ownₖ + w_file·file + w_path·path) · prior(role) · size · profile, then + w_graph · what its neighbours score;
 *         in prose (1 + w_file)·own₁ stands for the sum and the file, for a document of many topics is worth its best passage;
 *         and what is found there counts `leanToProse` times
 * chunk = file · (s + (1 − s)·own / own₁) · crowding^(place in the file beyond the first ten), s = what it shares with its file
 */
export function rank({ weights, profile, files, chunks, edges }: RankInput): RankedChunk[] {
  const scale = scalesOf(files, chunks)
  const chunksOf = Map.groupBy(chunks, (chunk) => chunk.fileId)
  const lean = leanToProse(files, chunksOf)
  const scored = files.map((file) => {
    const own = (chunksOf.get(file.fileId) ?? [])
      .map((chunk) => ({ chunk, legs: scaled(chunk.legs, scale), score: 0 }))
      .map((each) => ({
        ...each,
        score:
          weights.bm25 * (each.legs.bm25 ?? 0) +
          weights.vector * (each.legs.vector ?? 0) +
          weights.symbol * (each.legs.symbol ?? 0),
      }))
      .sort((a, b) => b.score - a.score || a.chunk.ordinal - b.chunk.ordinal)
    const legs = scaled(file.legs, scale)
    const role = fileRole(file.path)
    const text = isProse(file) ? (1 + weights.file) * (own[0]?.score ?? 0) : chunkShares.reduce((sum, share, at) => sum + share * (own[at]?.score ?? 0), 0) + weights.file * (legs.file ?? 0)
    const found = (text + weights.path * (legs.path ?? 0)) * (isProse(file) ? lean : 1)
    const size = 1 + weights.size * Math.log2(1 + file.tokenLength / 300)
    return { file, own, legs, role, score: found * weights.prior[role] * size * profile[file.contentType] }
  })
  const graph = graphScores(
    scored.map(({ file, score }) => ({ fileId: file.fileId, score })),
    edges,
  )
  const most = Math.max(0, ...scored.map(({ score }) => score))
  return scored
    .flatMap(({ file, own, legs, role, score }) => {
      const near = graph.get(file.fileId) ?? 0
      const fileScore = score + weights.graph * near * most * weights.prior[role]
      const best = own[0]?.score ?? 0
      const within = sharedWithin[isProse(file) ? 'prose' : 'program']
      return own.map((each, at) => ({
        chunkId: each.chunk.chunkId,
        fileId: file.fileId,
        path: file.path,
        score: fileScore * (at === 0 ? 1 : within + (1 - within) * (best > 0 ? each.score / best : 0)) * crowding ** Math.max(0, at - uncrowded + 1),
        legs: { ...each.legs, ...legs, ...(near > 0 ? { graph: near } : {}) },
        role,
        fileScore,
      }))
    })
    .filter((each) => each.score > 0)
    .sort((a, b) => b.score - a.score || compare(a.path, b.path) || compare(a.chunkId, b.chunkId))
}

/**
 * How much better the words of the question are met by prose than by programs: the best BM25 of the one to that of the other,
 * 1 where either has none. A question about a page meets one passage with most of its words, and a program here and there.
 */
function leanToProse(files: CandidateFile[], chunksOf: Map<string, CandidateChunk[]>): number {
  const best = { prose: 0, program: 0 }
  for (const file of files) {
    const kind = isProse(file) ? 'prose' : 'program'
    for (const { legs } of chunksOf.get(file.fileId) ?? []) best[kind] = Math.max(best[kind], legs.bm25 ?? 0)
  }
  return best.prose > 0 && best.program > 0 ? best.prose / best.program : 1
}

const isProse = ({ contentType }: CandidateFile) => contentType !== 'code'

/**
 * One hop along the code graph: what the best files name or are named by. A neighbour counts by the score of the file
 * that leads to it, divided by the fourth root of that file's number of neighbours, so that a hub lifts each a little less. 0 to 1.
 */
function graphScores(files: { fileId: string; score: number }[], edges: FileEdge[]): Map<string, number> {
  const leading = files
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || compare(a.fileId, b.fileId))
    .slice(0, expanded)
  const top = leading[0]?.score ?? 0
  const gained = new Map<string, number>()
  for (const { fileId, score } of leading) {
    const near = new Map<string, number>()
    for (const edge of edges) {
      const other = edge.from === fileId ? edge.to : edge.to === fileId ? edge.from : null
      if (other !== null && other !== fileId) near.set(other, Math.max(near.get(other) ?? 0, edgeWeight[edge.kind]))
    }
    for (const [other, weight] of near) gained.set(other, (gained.get(other) ?? 0) + (score / top) * (weight / near.size ** 0.25))
  }
  const most = Math.max(0, ...gained.values())
  return new Map([...gained].map(([fileId, value]) => [fileId, value / most]))
}

type Scale = Partial<Record<Leg, { low: number; high: number }>>

/**
 * BM25 and matches count from 0; cosines of one search lie close together, so they count from the lowest that was found.
 * A match of a path says how good it is by itself.
 */
function scalesOf(files: CandidateFile[], chunks: CandidateChunk[]): Scale {
  const scale: Scale = { path: { low: 0, high: 1 } }
  for (const { legs } of [...files, ...chunks]) {
    for (const [leg, value] of Object.entries(legs) as [Leg, number][]) {
      const known = scale[leg]
      const low = leg === 'vector' ? value : 0
      scale[leg] = known ? { low: Math.min(known.low, low), high: Math.max(known.high, value) } : { low, high: value }
    }
  }
  return scale
}

function scaled(legs: Partial<Record<Leg, number>>, scale: Scale): Partial<Record<Leg, number>> {
  const entries = Object.entries(legs).map(([leg, value]) => {
    const { low, high } = scale[leg as Leg]!
    return [leg, high > low ? (value - low) / (high - low) : 1] as const
  })
  return Object.fromEntries(entries)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
