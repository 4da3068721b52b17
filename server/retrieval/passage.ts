/** The ways a passage can be found; each leg's own score is kept so that the trace can say why it was chosen. */
export const legs = ['vector', 'bm25', 'file', 'symbol', 'path', 'graph'] as const
export type Leg = (typeof legs)[number]

/** A chunk of a document as an agent is given it, at the commit at which its lines are exact. */
export type Passage = {
  /** 1-based place in the ranking; what an answer cites as `[n]`. */
  n: number
  chunkId: string
  repositoryId: string
  /** The repository's name, such as `probot/probot`. */
  repository: string
  path: string
  /** 1-based, inclusive. */
  startLine: number
  endLine: number
  /** Full commit id at which `path` has exactly these lines. */
  sha: string
  content: string
  contentType: 'code' | 'documentation' | 'business'
  /** Language id such as `typescript`, `python`, `markdown`; null for plain text. */
  language: string | null
  /** Enclosing symbols or headings, outermost first, such as `['Server', 'handle']`. */
  scope: string[]
  /** Fused score; comparable within one search only. */
  score: number
  /** What people call the document, its own address and when it last changed, where its source tells; a file of a repository has none. */
  title?: string | null
  url?: string | null
  changedAt?: Date | null
  legs: Partial<Record<Leg, number>>
}
