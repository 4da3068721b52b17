import type { Passage } from '../retrieval/passage.ts'

/** A named definition inside a passage's file: what its own source says of it. */
export type EvidenceSymbol = {
  name: string
  /** Enclosing symbol, such as the class of a method. */
  container: string | null
  /** `function`, `method`, `class`, `interface`, `type`, `constant`, `enum`, `module`, `heading`. */
  kind: string
  /** Declaration on one line, without the body. */
  signature: string
  /** Doc comment as plain text, without comment marks. */
  doc: string | null
  repositoryId: string
  path: string
  startLine: number
  endLine: number
}

/** A resolved edge of the code graph next to a passage. `line` is where `from` names `to`. */
export type Relation = {
  kind: 'import' | 'call' | 'reference' | 'test'
  from: { repositoryId: string; path: string; symbol: string | null; line: number }
  to: { repositoryId: string; path: string; symbol: string | null; line: number }
}

/** All that an answer may rest on. Nothing outside it may be claimed, and only its passages may be cited. */
export type Evidence = {
  question: string
  passages: Passage[]
  symbols: EvidenceSymbol[]
  relations: Relation[]
  /** How much each term of the question tells in the whole index (idf); equal weights when absent. */
  weights?: Record<string, number>
}
