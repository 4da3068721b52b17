import { basename } from 'node:path'
import { NuraError } from '#db/nura-error.ts'
import { fileRole } from '#server/retrieval/file-role.ts'
import { search } from '#server/retrieval/search.ts'
import { readText, skipByEntry } from '#server/sources/skip.ts'
import type { Source } from '#server/sources/source.ts'
import { count, countLines, rankBm25, type Counted } from './bm25.ts'
import { readCommits, type FilesQuery } from './commits.ts'
import { openIndex, type EvalIndex } from './open-index.ts'
import { meanScores, pairedInterval, scoreRanking, type Scores } from './measures.ts'

/** Rankings that Nura is held against: exact BM25 in memory, over the same trees, by the same tokens. */
export const baselines = ['BM25 files', 'BM25 chunks'] as const
export type Ranker = 'Nura' | (typeof baselines)[number]

export type FilesResult = {
  repository: string
  /** Questions that were asked: the strict half, whose subjects name none of the files. */
  questions: number
  scores: Record<Ranker, Scores>
  /** Nura's nDCG@10 less that of the best baseline, with the 95 % interval of the difference. */
  against: Record<(typeof baselines)[number], { difference: number; low: number; high: number }>
  rows: { sha: string; subject: string; files: string[]; ranked: Record<Ranker, string[]>; scores: Record<Ranker, Scores> }[]
}

/** Passages asked of Nura: enough for ten files, few enough for `/v1/search`. */
const asked = 50
const kept = 20

/**
 * «Which files does this change touch?»: each question is asked of the tree as it was before the change. The index
 * follows the history from the oldest question to the newest, so that only what changed is read again.
 *
 * @param limit questions wanted of the history, before the strict half is taken.
 */
export async function measureFiles(
  dir: string,
  limit: number,
  onProgress: (done: number, total: number) => void,
): Promise<FilesResult> {
  const questions = (await readCommits(dir, limit)).filter(({ named }) => !named).reverse()
  if (questions.length === 0)
    throw new NuraError('no-questions', `${dir} has no commit that makes a question. Give a repository with its whole history.`)
  const index = await openIndex(dir)
  const readTree = createTreeReader(index.source)
  try {
    const rows: FilesResult['rows'] = []
    for (const question of questions) {
      await index.moveTo(question.parent)
      const tree = await readTree(question.parent)
      const ranked: Record<Ranker, string[]> = {
        Nura: await askNura(index, question),
        'BM25 files': rankBm25(tree.whole, question.subject),
        'BM25 chunks': rankBm25(tree.chunks, question.subject),
      }
      const scores = mapRankers(ranked, (paths) => scoreRanking(paths, question.files))
      rows.push({
        sha: question.sha,
        subject: question.subject,
        files: question.files,
        ranked: mapRankers(ranked, (paths) => paths.slice(0, kept)),
        scores,
      })
      onProgress(rows.length, questions.length)
    }
    return toResult(basename(dir), rows)
  } finally {
    await index.close()
  }
}

async function askNura({ parts, tenant }: EvalIndex, question: FilesQuery): Promise<string[]> {
  const { passages } = await search(parts, tenant, { question: question.subject, audience: { kind: 'tenant' }, limit: asked })
  return [...new Set(passages.map(({ path }) => path))]
}

function mapRankers<From, To>(all: Record<Ranker, From>, to: (each: From) => To): Record<Ranker, To> {
  return { Nura: to(all.Nura), 'BM25 files': to(all['BM25 files']), 'BM25 chunks': to(all['BM25 chunks']) }
}

function toResult(repository: string, rows: FilesResult['rows']): FilesResult {
  const of = (ranker: Ranker) => rows.map(({ scores }) => scores[ranker])
  const ndcg = (ranker: Ranker) => of(ranker).map(({ ndcg10 }) => ndcg10)
  return {
    repository,
    questions: rows.length,
    scores: {
      Nura: meanScores(of('Nura')),
      'BM25 files': meanScores(of('BM25 files')),
      'BM25 chunks': meanScores(of('BM25 chunks')),
    },
    against: {
      'BM25 files': pairedInterval(ndcg('Nura'), ndcg('BM25 files')),
      'BM25 chunks': pairedInterval(ndcg('Nura'), ndcg('BM25 chunks')),
    },
    rows,
  }
}

/** What the baselines know of a tree: whole files of every kind, and source files in pieces of 60 lines under their path. */
function createTreeReader(source: Source): (sha: string) => Promise<{ whole: Counted[]; chunks: Counted[] }> {
  const known = new Map<string, { whole: Counted; chunks: Counted[] } | null>()
  return async (sha) => {
    const entries = (await source.tree(sha)).filter((entry) => skipByEntry(entry) === null && fileRole(entry.path) !== 'history')
    const missing = entries.filter(({ path, blobSha }) => !known.has(`${blobSha} ${path}`))
    let next = 0
    for await (const { bytes } of source.read(missing.map(({ blobSha }) => blobSha))) {
      const { path, blobSha } = missing[next++]!
      const { text } = readText(path, bytes)
      known.set(
        `${blobSha} ${path}`,
        text === null
          ? null
          : { whole: count(path, `${path}\n${text}`), chunks: fileRole(path) === 'source' ? countLines(path, text) : [] },
      )
    }
    const counted = entries.map(({ path, blobSha }) => known.get(`${blobSha} ${path}`)).filter((each) => each != null)
    return { whole: counted.map(({ whole }) => whole), chunks: counted.flatMap(({ chunks }) => chunks) }
  }
}
