import type { FileRole } from './file-role.ts'
import type { Query, QuestionKind } from './query.ts'

/**
 * How much each way of finding counts. Each leg is first scaled so that its best hit of this search is 1.
 * `size` is what a long file gains over a short one: it is changed more often than its terms say.
 * `vector` holds for a learned embedding; a hashed lexical one is taken at `lexicalShare` of it.
 */
export type Weights = {
  bm25: number
  file: number
  vector: number
  symbol: number
  path: number
  graph: number
  size: number
  prior: Record<FileRole, number>
}

/** A hashed lexical vector as an equal partner makes code search worse (MRR .56 → .52); at this share its runs of letters still help. */
export const lexicalShare = 0.3

/** Prior of a file by its role, where what is asked for is the program itself. */
const program: Record<FileRole, number> = {
  source: 1,
  docs: 0.3,
  test: 0.25,
  example: 0.25,
  config: 0.25,
  data: 0.25,
  generated: 0.1,
  history: 0.05,
}
/** The same where prose and examples answer as well as the program does. */
const prose: Record<FileRole, number> = {
  source: 1,
  docs: 1,
  test: 0.4,
  example: 0.55,
  config: 0.4,
  data: 0.4,
  generated: 0.1,
  history: 0.15,
}
/** The same for a topic or a statement, which does not say whether it is about a program or about what is written of it. */
const even: Record<FileRole, number> = {
  source: 1,
  docs: 1.1,
  test: 0.1,
  example: 0.25,
  config: 0.25,
  data: 0.25,
  generated: 0.1,
  history: 0.15,
}
/** The same for what a change did: the files that it touched. */
const change: Record<FileRole, number> = {
  source: 1,
  docs: 0.1,
  test: 0.1,
  example: 0.1,
  config: 0.1,
  data: 0.1,
  generated: 0.1,
  history: 0.02,
}

const table: Record<QuestionKind, Weights> = {
  where: { bm25: 1, file: 0.75, vector: 0.5, symbol: 0.2, path: 0.5, graph: 0.1, size: 0, prior: { ...program, docs: 0.7 } },
  what: { bm25: 1, file: 0.4, vector: 0.7, symbol: 0.5, path: 0.5, graph: 0.03, size: 0, prior: prose },
  how: {
    bm25: 1,
    file: 0.75,
    vector: 0.7,
    symbol: 0.2,
    path: 0.5,
    graph: 0.1,
    size: 0,
    prior: { ...prose, example: 0.4 },
  },
  flow: { bm25: 1, file: 0.75, vector: 0.6, symbol: 0.2, path: 0.5, graph: 0.1, size: 0, prior: { ...program, docs: 0.85 } },
  why: { bm25: 1, file: 0.4, vector: 0.8, symbol: 0.3, path: 0.5, graph: 0.03, size: 0, prior: { ...prose, history: 0.5 } },
  usage: { bm25: 1, file: 0.4, vector: 0.8, symbol: 0.35, path: 0.5, graph: 0.05, size: 0, prior: prose },
  config: { bm25: 1, file: 0.4, vector: 0.6, symbol: 0.35, path: 0.5, graph: 0.03, size: 0, prior: { ...prose, config: 0.6 } },
  test: { bm25: 1, file: 0.5, vector: 0.5, symbol: 0.3, path: 0.4, graph: 0.05, size: 0, prior: { ...program, test: 1 } },
  change: { bm25: 1, file: 0.5, vector: 0.65, symbol: 0.2, path: 0.1, graph: 0.4, size: 0.01, prior: change },
  other: { bm25: 1, file: 0.5, vector: 0.65, symbol: 0.3, path: 0.1, graph: 0.1, size: 0, prior: even },
}

/** The weights of a question, its words about tests, docs, examples and history lifted, in the space it is embedded in. */
export function weightsOf(query: Query, space: string | null): Weights {
  const weights = table[query.kind]
  const { code, tests, docs, examples, history } = query.asksFor
  const prior = { ...weights.prior }
  if (query.kind !== 'change') {
    if (code) prior.docs = Math.min(prior.docs, program.docs)
    if (tests) prior.test = 1
    if (docs) prior.docs = 1.3
    if (examples) prior.example = 1
    if (history) prior.history = 1
  }
  const vector = space === null ? 0 : space.startsWith('lexical:') ? weights.vector * lexicalShare : weights.vector
  return { ...weights, vector, prior }
}
