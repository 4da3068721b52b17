import { quote, span } from '../models/extractive/prose.ts'
import type { Passage } from '../retrieval/passage.ts'
import type { Contradiction } from './contradictions.ts'
import type { GraphParts } from './graph-state.ts'

/** More of them are a matter for a review, not for the head of an answer. */
const mostTold = 3

/** Says where code and documents disagree, both with their dates: code is what runs, so it is named first. */
export async function tellContradictions(contradictions: Contradiction[], { changedAt }: Pick<GraphParts, 'changedAt'>): Promise<string> {
  const told = contradictions.slice(0, mostTold)
  const dates = (await changedAt?.(told.flatMap(({ code, document }) => [code.passage, document.passage]))) ?? new Map<number, Date>()
  return told
    .map(({ name, code, document }) => {
      const runs = `The code has ${span(code.value.text)} in ${place(code.passage, code.line)}${when(code.passage, dates)} [${code.passage.n}], and that is what runs`
      const says = `the document ${span(document.passage.title ?? document.passage.path)}${when(document.passage, dates)} says ${quote(document.sentence, 200)} [${document.passage.n}]`
      return `**Code and documents disagree on ${span(name)}.** ${runs}; ${says}.`
    })
    .join('\n\n')
}

function place({ path }: Passage, line: number): string {
  return `${span(path)} (line ${line})`
}

function when({ n, sha }: Passage, dates: ReadonlyMap<number, Date>): string {
  const date = dates.get(n)
  return date ? `, changed ${date.toISOString().slice(0, 10)},` : `, at ${sha.slice(0, 7)},`
}
