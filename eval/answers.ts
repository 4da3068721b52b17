import { basename } from 'node:path'
import type { ServerConfig } from '#server/config.ts'
import { createRepository } from '#server/testing/create-repository.ts'
import { chunkOf, faultOf, misquoted } from './answers/check-citation.ts'
import { readClaims } from './answers/claims.ts'
import { openAnswering } from './answers/open-answering.ts'
import type { Answering, Told } from './answers/open-answering.ts'
import { leastSupport, rarityIn, support } from './answers/support.ts'
import { covers, halves, readGoldenSet } from './golden-set.ts'
import type { GoldenSet, Half, Lines } from './golden-set.ts'

export type Share = { of: number; hits: number }

export type AnswersResult = {
  set: string
  questions: number
  outside: number
  models: ServerConfig['models']
  /** Citations whose lines are in the index and read there as in the document, and quoted lines that stand in what they cite. */
  citations: Share
  quotedLines: Share
  /** Sentences that cite something, and of those the ones that it supports; by chance: that a passage supports which another sentence cites. */
  cited: Share
  supported: Share
  supportedByChance: Share
  /** Abstentions, rightly of what is outside and wrongly of what is inside, of both halves and by kind of question. */
  abstains: Share & { halves: Record<Half, Share>; kinds: Record<string, Share> }
  abstainsWrongly: Share & { halves: Record<Half, Share> }
  /** Questions inside whose answer cites a golden chunk. */
  answerHits: Share
  /** Questions whose answer is another when asked again, and when the documents are indexed again. */
  differsAgain: Share
  differsAnew: Share
  costUsd: number
  rows: AnswersRow[]
}

export type AnswersRow = {
  question: string
  half: Half
  /** Why somebody could think that it is answered here; null for a question that is. */
  kind: string | null
  abstained: boolean
  agent: string
  markdown: string
  isHit: boolean
  /** What is wrong with its citations, and lines that they do not have. */
  faults: string[]
  misquoted: string[]
  claims: { text: string; cited: number[]; support: number; byChance: number }[]
  counts: { citations: number; quotedLines: number }
  differsAgain: boolean
  differsAnew: boolean
}

type Asked = { question: string; half: Half; kind: string | null; golden: Lines[] }

/**
 * Asks the questions of a set, and those that its documents do not answer, as the server answers them; twice of one index, and once
 * of another that is made of the same documents.
 */
export async function measureAnswers(file: string, config: ServerConfig, onProgress: (done: number, total: number) => void): Promise<AnswersResult> {
  const set = await readGoldenSet(file)
  await using repository = await createRepository(Object.fromEntries(set.documents))
  const asked: Asked[] = [...set.questions.map((each) => ({ ...each, kind: null })), ...set.outside.map((each) => ({ ...each, golden: [] }))]
  let done = 0
  const askAll = async (answering: Answering) => {
    const told: Told[] = []
    for (const { question } of asked) {
      told.push(await answering.ask(question))
      onProgress(++done, asked.length * 3)
    }
    return told
  }
  const first = await openAnswering(repository.dir, config)
  try {
    const [told, again] = [await askAll(first), await askAll(first)]
    const second = await openAnswering(repository.dir, config)
    const anew = await askAll(second).finally(() => second.close())
    const differs = (others: Told[]) => told.map(({ parts }, at) => JSON.stringify(parts) !== JSON.stringify(others[at]!.parts))
    const rows = await toRows(asked, told, { again: differs(again), anew: differs(anew) }, first, set.documents)
    return { ...toResult(basename(file, '.json'), rows), models: config.models, costUsd: [...told, ...again, ...anew].reduce((sum, { costUsd }) => sum + costUsd, 0) }
  } finally {
    await first.close()
  }
}

async function toRows(asked: Asked[], told: Told[], differs: { again: boolean[]; anew: boolean[] }, index: Answering, documents: GoldenSet['documents']): Promise<AnswersRow[]> {
  const rarity = rarityIn(index.chunks)
  const cited = told.map(({ citations }) => new Map(citations.map((citation) => [citation.n, chunkOf(citation, index.chunks)])))
  /** What a sentence of the next answer cites says nothing of this one. */
  const foreign = told.map((_, at) => [...cited[(at + 1) % told.length]!.values()].filter((chunk) => chunk !== undefined).slice(0, 1))
  return Promise.all(asked.map(async ({ question, half, kind, golden }, at): Promise<AnswersRow> => {
    const { markdown, citations, abstained, agent } = told[at]!
    // An answer that found nothing claims nothing: it names where it looked.
    const { claims, blocks } = abstained ? { claims: [], blocks: [] } : readClaims(markdown)
    const passages = (numbers: number[]) => numbers.flatMap((n) => cited[at]!.get(n) ?? [])
    const faults = await Promise.all(citations.map((citation) => faultOf(citation, { sha: index.sha, chunks: index.chunks, documents })))
    return {
      question, half, kind, abstained, agent, markdown,
      isHit: !abstained && citations.some((citation) => golden.some((each) => covers(citation, each))),
      faults: faults.filter((fault) => fault !== null),
      misquoted: blocks.flatMap((block) => misquoted(block, passages(block.cited))),
      claims: claims.map((claim) => ({ ...claim, support: support(claim.text, passages(claim.cited), rarity), byChance: support(claim.text, foreign[at]!, rarity) })),
      counts: { citations: citations.length, quotedLines: blocks.reduce((sum, { lines }) => sum + lines.length, 0) },
      differsAgain: differs.again[at]!,
      differsAnew: differs.anew[at]!,
    }
  }))
}

function toResult(set: string, rows: AnswersRow[]): Omit<AnswersResult, 'models' | 'costUsd'> {
  const [inside, outside] = [rows.filter(({ kind }) => kind === null), rows.filter(({ kind }) => kind !== null)]
  const claims = rows.flatMap((row) => row.claims)
  const cited = claims.filter((claim) => claim.cited.length > 0)
  const abstained = (of: AnswersRow[]) => shareOf(of, (row) => row.abstained)
  const ofHalf = (of: AnswersRow[]) => Object.fromEntries(halves.map((half) => [half, abstained(of.filter((row) => row.half === half))])) as Record<Half, Share>
  const sum = (count: (row: AnswersRow) => number) => rows.reduce((total, row) => total + count(row), 0)
  const less = (of: number, wrong: number): Share => ({ of, hits: of - wrong })
  return {
    set,
    questions: inside.length,
    outside: outside.length,
    citations: less(sum(({ counts }) => counts.citations), sum(({ faults }) => faults.length)),
    quotedLines: less(sum(({ counts }) => counts.quotedLines), sum((row) => row.misquoted.length)),
    cited: { of: claims.length, hits: cited.length },
    supported: shareOf(cited, (claim) => claim.support >= leastSupport),
    supportedByChance: shareOf(cited, (claim) => claim.byChance >= leastSupport),
    abstains: { ...abstained(outside), halves: ofHalf(outside), kinds: Object.fromEntries([...Map.groupBy(outside, ({ kind }) => kind!)].map(([kind, of]) => [kind, abstained(of)])) },
    abstainsWrongly: { ...abstained(inside), halves: ofHalf(inside) },
    answerHits: shareOf(inside, ({ isHit }) => isHit),
    differsAgain: shareOf(rows, (row) => row.differsAgain),
    differsAnew: shareOf(rows, (row) => row.differsAnew),
    rows,
  }
}

function shareOf<T>(of: T[], test: (each: T) => boolean): Share {
  return { of: of.length, hits: of.filter(test).length }
}

type Goal = { least?: number; most?: number }

/** What is measured, in the order in which it is told, with its goal where there is one. */
export const measures: { title: string; goal: Goal | null; of(result: AnswersResult): Share }[] = [
  { title: 'citation exists, with these lines', goal: { least: 1 }, of: ({ citations }) => citations },
  { title: 'quoted line stands in what is cited', goal: { least: 1 }, of: ({ quotedLines }) => quotedLines },
  { title: 'sentence cites something', goal: { least: 1 }, of: ({ cited }) => cited },
  { title: 'cited passage supports its sentence', goal: { least: 0.95 }, of: ({ supported }) => supported },
  { title: '  another passage would, by chance', goal: null, of: ({ supportedByChance }) => supportedByChance },
  { title: 'abstains, asked what is not there', goal: { least: 0.9 }, of: ({ abstains }) => abstains },
  ...halves.map((half) => ({ title: `  ${half} half`, goal: { least: 0.9 }, of: ({ abstains }: AnswersResult) => abstains.halves[half] })),
  { title: 'abstains, asked what is there', goal: { most: 0.05 }, of: ({ abstainsWrongly }) => abstainsWrongly },
  ...halves.map((half) => ({ title: `  ${half} half`, goal: { most: 0.05 }, of: ({ abstainsWrongly }: AnswersResult) => abstainsWrongly.halves[half] })),
  { title: 'answer cites a golden chunk', goal: null, of: ({ answerHits }) => answerHits },
  { title: 'differs when asked again', goal: { most: 0 }, of: ({ differsAgain }) => differsAgain },
  { title: 'differs when indexed again', goal: { most: 0 }, of: ({ differsAnew }) => differsAnew },
]

/** One row a measure: its goal, then a column for each set and, of several, one for all of them. */
export function toAnswersTable(results: AnswersResult[]): [head: string[], rows: string[][]] {
  const sets = results.map(({ set }) => set)
  const rows = measures.map(({ title, goal, of }) => {
    const shares = results.map(of)
    const all = shares.reduce((sum, each) => ({ of: sum.of + each.of, hits: sum.hits + each.hits }))
    return [title, toGoal(goal), ...[...shares, ...(shares.length > 1 ? [all] : [])].map((share) => toCell(share, goal))]
  })
  return [['measure', 'goal', ...sets, ...(sets.length > 1 ? ['all'] : [])], rows]
}

function toGoal(goal: Goal | null): string {
  return goal?.least !== undefined ? `≥ ${goal.least}` : goal?.most !== undefined ? `≤ ${goal.most}` : ''
}

function toCell({ of, hits }: Share, goal: Goal | null): string {
  if (of === 0) return '–'
  const share = hits / of
  const isMissed = share < (goal?.least ?? 0) || share > (goal?.most ?? 1)
  return `${share.toFixed(3)} (${hits} of ${of})${isMissed ? ' ✗' : ''}`
}
