import { sentences } from '#server/models/extractive/prose.ts'

/** A sentence that says something, and the numbers of the passages that stand for it; none for one that names no source. */
export type Claim = { text: string; cited: number[] }
/** Lines of a fenced block under what introduces it. */
export type Block = { cited: number[]; lines: string[] }

const marker = /\s*\[(\d{1,4})\]/g
/** What is shorter says nothing that needs a source. */
const fewestWords = 5

/**
 * What an answer says, as its own rule for citations reads it: a citation stands for what leads up to it, so a sentence without one
 * takes those of the next in its paragraph or list entry. Headings, questions and what only opens a list claim nothing.
 */
export function readClaims(markdown: string): { claims: Claim[]; blocks: Block[] } {
  const claims: Claim[] = []
  const blocks: Block[] = []
  let fence: string | null = null
  let above: number[] = []
  for (const line of markdown.split('\n')) {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1]
    if (fence !== null) {
      if (mark?.startsWith(fence)) fence = null
      else blocks.at(-1)!.lines.push(line)
    } else if (mark) {
      fence = mark
      blocks.push({ cited: above, lines: [] })
    } else if (line.trim() !== '') {
      claims.push(...claimsOf(line))
      above = numbersIn(line)
    }
  }
  return { claims, blocks }
}

function claimsOf(line: string): Claim[] {
  if (/^#{1,6}\s/.test(line.trim())) return []
  // A marker behind the stop belongs to the sentence that the stop ends.
  const prose = line.replace(/^\s*(?:[-*+]|\d+[.)])\s+/, '').replace(/([.!?…])((?:\s*\[\d{1,4}\])+)/g, '$2$1')
  const told = sentences(prose)
  return told.flatMap((sentence, at) => {
    const text = sentence.replace(marker, '').trim()
    const cited = told.slice(at).map(numbersIn).find((numbers) => numbers.length > 0) ?? []
    const says = cited.length > 0 || text.split(/\s+/).length >= fewestWords
    return says && !/[:?]$/.test(text) ? [{ text, cited }] : []
  })
}

function numbersIn(text: string): number[] {
  return [...new Set([...text.matchAll(marker)].map(([, n]) => Number(n)))]
}
