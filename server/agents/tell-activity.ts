import { createHash } from 'node:crypto'
import type { ActivityList, ActivitySection } from '../activity/activity-answer.ts'
import type { Report } from '../answer-part.ts'
import { plain } from '../models/extractive/prose.ts'
import type { Passage } from '../retrieval/passage.ts'
import type { Agent } from './agent.ts'

/** A section as it is told: its text cites the passages that its lists became, its report names them by their number. */
export type ToldSection = { markdown: string; report: Report }
export type ToldActivity = { passages: Passage[]; sections: ToldSection[] }

/** Lines of a list, or rows of a table, that are told in the text itself. */
const mostLines = 5

/**
 * Tells sections as an agent's lens wants them, from the same rows: what came out for the PM, the work itself for the Dev, how it
 * spreads for the Architect. Only code writes here, so that every number is the one that was counted.
 * @param first number of the first passage
 */
export function tellActivity(sections: ActivitySection[], lens: Agent['lens'], first: number): ToldActivity {
  const passages: Passage[] = []
  const told = sections.map((section): ToldSection => {
    const own = section.lists.map((list, at) => toPassage(list, first + passages.length + at))
    passages.push(...own.filter((passage) => passage !== null))
    const numbers = own.map((passage) => passage?.n ?? null)
    const figures = section.report.figures.map((figure) => ({ ...figure, n: figure.n === null ? null : (numbers[figure.n - 1] ?? null) }))
    return { markdown: toMarkdown(section, numbers, lens), report: { ...section.report, figures } }
  })
  return { passages, sections: told }
}

/** A list as a passage, a row a line; null for one without rows, which nobody can look up. */
function toPassage({ title, repositoryId, repository, url, lines }: ActivityList, n: number): Passage | null {
  if (lines.length === 0) return null
  const content = lines.map((line) => line.replace(/\s+/g, ' ')).join('\n')
  const sha = createHash('sha256').update(content).digest('hex')
  const place = { repositoryId, repository, path: title, startLine: 1, endLine: lines.length, sha }
  return { n, chunkId: `list:${sha}`, ...place, content, contentType: 'business', language: null, scope: [], score: 1, legs: {}, title, url }
}

function toMarkdown({ sentences, lists, report }: ActivitySection, numbers: (number | null)[], lens: Agent['lens']): string {
  const cite = (places: number[]) => places.map((at) => (numbers[at] == null ? '' : `[${numbers[at]}]`)).join('')
  const cited = ({ text, lists: places }: ActivitySection['sentences'][number]) => {
    const marks = cite(places)
    return marks === '' ? text : `${text.replace(/([.!?])$/, '')} ${marks}${/([.!?])$/.exec(text)?.[1] ?? '.'}`
  }
  const [lead, ...rest] = sentences
  const bullets = { code: () => lists.flatMap(toLines), modules: () => [...rest.map(cited), ...toRows(report)], documents: () => rest.map(cited) }[lens.first]()
  return [...(lead ? [cited(lead)] : []), ...(bullets.length > 0 ? [bullets.map((bullet) => `- ${bullet}`).join('\n')] : [])].join('\n\n')

  function toLines({ lines }: ActivityList, at: number): string[] {
    return lines.slice(0, mostLines).map((line) => `${plain(line)} ${cite([at])}`.trim())
  }
}

function toRows({ table }: Report): string[] {
  return (table?.rows ?? []).slice(0, mostLines).map((row) => row.map(({ text }) => plain(text)).filter(Boolean).join(' · '))
}
