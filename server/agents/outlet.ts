import { createCitationFilter } from '../retrieval/check-citations.ts'
import type { Passage } from '../retrieval/passage.ts'
import type { Evidence } from './evidence.ts'
import type { GraphEvent } from './graph-event.ts'
import { createUncitedMarker } from './mark-uncited.ts'
import { createRenumbering } from './renumber.ts'
import type { Renumbering } from './renumber.ts'

/** What came out of a text: characters shown, citations given, and what the check took out or could not place. */
export type Shown = { length: number; cited: number; check: { unknown: number[]; removed: number; uncited: number } }

export type Outlet = {
  hasShown(): boolean
  push(text: string): void
  /** The number under which the reader finds a passage, whose citation is given if it was not yet. */
  cite(passage: Passage): number
  end(): Shown
}

/**
 * Text on its way out: held to its citations, marked where a model cites nothing, renumbered in the order of first mention.
 * @param options.isOurs true for text that code wrote, which may speak of the search itself
 * @param options.numbering of the texts before this one in the same answer
 */
export function createOutlet(evidence: Pick<Evidence, 'passages'>, emit: (event: GraphEvent) => void, { isOurs, numbering = createRenumbering() }: { isOurs: boolean; numbering?: Renumbering }): Outlet {
  const filter = createCitationFilter(evidence)
  const marker = isOurs ? undefined : createUncitedMarker()
  const passages = new Map(evidence.passages.map((passage) => [passage.n, passage]))
  const mark = (piece: string) => marker?.push(piece) ?? piece
  let length = 0
  let cited = 0
  const show = (piece: string) => {
    if (piece === '') return
    const { text, cited: marks, first } = numbering.push(piece)
    for (const { n, passage } of first) emit({ kind: 'citation', n, passage: passages.get(passage)! })
    cited += marks
    length += text.trim().length
    emit({ kind: 'text', markdown: text })
  }
  return {
    hasShown: () => length > 0,
    push: (text) => show(mark(filter.push(text))),
    cite(passage) {
      const { n, isFirst } = numbering.numberOf(passage.n)
      if (isFirst) emit({ kind: 'citation', n, passage })
      return n
    },
    end() {
      show(mark(filter.end()))
      show(marker?.end() ?? '')
      const { unknown, removed } = filter.checked()
      return { length, cited, check: { unknown, removed, uncited: marker?.marked() ?? 0 } }
    },
  }
}
