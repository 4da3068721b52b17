import { basename } from 'node:path'
import { search } from '#server/retrieval/search.ts'
import { createRepository } from '#server/testing/create-repository.ts'
import { tokens } from '#server/tokens.ts'
import { countTokens, rankPieces, type Counted } from './bm25.ts'
import { covers, readGoldenSet, type Lines } from './golden-set.ts'
import { mean, pairedInterval } from './measures.ts'
import { openIndex, readIndexed } from './open-index.ts'
import { kindsOfSentence, readSentences } from './sentences.ts'

export const goldenRankers = ['Nura', 'BM25 words', 'BM25 identifiers'] as const
type Ranker = (typeof goldenRankers)[number]

export type GoldenScores = { pass5: number; pass10: number; pass20: number; recall3: number; mrr3: number }
export type GoldenResult = {
  set: string
  questions: number
  chunks: number
  scores: Record<Ranker, GoldenScores>
  /** Nura's Pass@5 less that of a baseline, with the 95 % interval of the difference. */
  against: Record<Exclude<Ranker, 'Nura'>, { difference: number; low: number; high: number }>
  rows: { question: string; golden: Lines[]; places: Record<Ranker, number[]> }[]
}

/** Words as they are written: what a full text search without any knowledge of code compares. */
const words = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
const kept = 20

/**
 * Indexes the documents of a set and asks its questions. Nura is held against exact BM25 over the very chunks that it has
 * cut itself, once over plain words, once over identifiers that are split and stemmed.
 */
export async function measureGolden(file: string): Promise<GoldenResult> {
  const { chunks, rows } = await askGolden(await readGoldenSet(file))
  return toResult(basename(file, '.json'), chunks, rows)
}

/** The same of sentences that were taken out of the head of a checkout, for each kind of them. */
export async function measureSentences(dir: string, name: string, most: number): Promise<GoldenResult[]> {
  const { documents, sentences } = await readSentences(dir, most)
  const { chunks, rows } = await askGolden({ documents, questions: sentences.map(({ question, golden }) => ({ question, golden: [golden] })) })
  return kindsOfSentence.map((kind) => toResult(`${name}, ${kind}`, chunks, rows.filter((_, at) => sentences[at]!.kind === kind)))
}

async function askGolden({ documents, questions }: { documents: Map<string, string>; questions: { question: string; golden: Lines[] }[] }): Promise<Pick<GoldenResult, 'chunks' | 'rows'>> {
  await using repository = await createRepository(Object.fromEntries(documents))
  const index = await openIndex(repository.dir)
  try {
    await index.moveTo(null)
    const chunks = await readIndexed(index.tenant)
    const [plain, split] = [words, tokens].map((of) => chunks.map((chunk, at) => countTokens(String(at), of(`${chunk.path}\n${chunk.content}`)))) as [Counted[], Counted[]]
    const rows: GoldenResult['rows'] = []
    for (const { question, golden } of questions) {
      const { passages } = await search(index.parts, index.tenant, { question, audience: { kind: 'tenant' }, limit: kept })
      const ranked: Record<Ranker, Lines[]> = {
        Nura: passages,
        'BM25 words': rankPieces(plain, words(question)).map((at) => chunks[Number(at)]!),
        'BM25 identifiers': rankPieces(split, tokens(question)).map((at) => chunks[Number(at)]!),
      }
      rows.push({ question, golden, places: mapRankers((ranker) => golden.map((each) => ranked[ranker].slice(0, kept).findIndex((passage) => covers(passage, each)) + 1)) })
    }
    return { chunks: chunks.length, rows }
  } finally {
    await index.close()
  }
}

function toResult(set: string, chunks: number, rows: GoldenResult['rows']): GoldenResult {
  const pass5 = (ranker: Ranker) => rows.map(({ places }) => within(places[ranker], 5))
  return {
    set,
    questions: rows.length,
    chunks,
    scores: mapRankers((ranker) => score(rows.map(({ places }) => places[ranker]))),
    against: { 'BM25 words': pairedInterval(pass5('Nura'), pass5('BM25 words')), 'BM25 identifiers': pairedInterval(pass5('Nura'), pass5('BM25 identifiers')) },
    rows,
  }
}

/** Of the golden chunks' places, 1-based and 0 for none, the share within the first `most`. */
export function within(places: number[], most: number): number {
  return mean(places.map((place) => Number(place >= 1 && place <= most)))
}

/** Pass@k is the share of a question's golden chunks within the first k, as Anthropic counts it for contextual retrieval; all are means over questions. */
export function score(all: number[][]): GoldenScores {
  const pass = (most: number) => mean(all.map((places) => within(places, most)))
  const first = (places: number[]) => Math.min(...places.map((place) => (place >= 1 && place <= 3 ? place : Infinity)))
  return { pass5: pass(5), pass10: pass(10), pass20: pass(20), recall3: pass(3), mrr3: mean(all.map((places) => 1 / first(places))) }
}

function mapRankers<To>(to: (ranker: Ranker) => To): Record<Ranker, To> {
  return { Nura: to('Nura'), 'BM25 words': to('BM25 words'), 'BM25 identifiers': to('BM25 identifiers') }
}
