import type { Report, Step } from '../answer-part.ts'
import type { Passage } from '../retrieval/passage.ts'

/** What can be shown at once. A citation comes before the first text that cites it; `n` is its number in the text. */
export type GraphEvent =
  | { kind: 'status'; text: string }
  | { kind: 'text'; markdown: string }
  | { kind: 'citation'; n: number; passage: Passage }
  | { kind: 'report'; report: Report }
  | { kind: 'step'; step: Step }
