import type { Citation, Freshness } from '../answer-part.ts'
import { toAge } from '../age.ts'
import { visible } from '../models/extractive/prose.ts'
import { defang } from './defang.ts'

/** An answer that is complete. */
export type Answered = {
  /** Cites its sources as `[n]`. */
  markdown: string
  /** Those whose lines are there; a number that has none here is dropped from the text. */
  citations: Citation[]
  /** What was searched; for the footer. */
  freshness: Freshness[]
  /** Head of the pull request that the answer is of. */
  headSha: string | null
  notice?: string
}

const mostRepositories = 3

/**
 * An answer as a comment on GitHub: its text, the sources by number as links to lines at a commit, and how fresh they are.
 * Nothing in it is live but these links, which are made here of our own rows.
 */
export function renderMarkdown({ markdown, citations, freshness, headSha, notice }: Answered, now: Date): string {
  const known = new Map(citations.map((citation) => [citation.n, citation]))
  const text = linkMarkers(defang(markdown), known)
  const cited = citations.filter(({ n }) => text.used.has(n)).sort((a, b) => a.n - b.n)
  const sources = cited.map((citation) => `- [${citation.n}] ${toLink(citation, new Set(cited.map(({ repository }) => repository)).size > 1)}`)
  const footer = toFooter({ freshness, headSha }, cited, now)
  return [text.markdown.trim(), sources.join('\n'), [notice, footer].filter(Boolean).join('  \n')].filter((part) => part !== '').join('\n\n')
}

/** One line that is no answer, such as why there is none. */
export function renderLine(line: string): string {
  return defang(line)
}

/** `[n]` outside of code as a link to its source; without one it goes. */
function linkMarkers(markdown: string, known: ReadonlyMap<number, Citation>): { markdown: string; used: Set<number> } {
  const used = new Set<number>()
  let fence: string | null = null
  const lines = markdown.split('\n').map((line) => {
    const mark = /^[ \t>]*(?:[-*+] |\d+[.)] )*(`{3,}|~{3,})/.exec(line)?.[1]
    if (fence !== null) {
      if (mark?.startsWith(fence) && line.trim() === mark) fence = null
      return line
    }
    if (mark) fence = mark
    return mark ? line : linkInLine(line)
  })
  function linkInLine(line: string): string {
    let out = ''
    let at = 0
    for (const span of line.matchAll(/(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)/g)) {
      out += linkInText(line.slice(at, span.index)) + span[0]
      at = span.index + span[0].length
    }
    return out + linkInText(line.slice(at))
  }
  function linkInText(text: string): string {
    return text.replace(/[ \t]?\[(\d{1,4})\](?![([])/g, (written, digits: string) => {
      const citation = known.get(Number(digits))
      if (!citation) return ''
      used.add(citation.n)
      return citation.url ? written.replace(/\[\d+\]/, `[[${citation.n}]](${citation.url})`) : written
    })
  }
  return { markdown: lines.join('\n'), used }
}

function toLink({ repository, path, startLine, endLine, url }: Citation, withRepository: boolean): string {
  const label = code(`${withRepository ? `${repository} ` : ''}${path}#L${startLine}${endLine > startLine ? `-L${endLine}` : ''}`)
  return url ? `[${label}](${url})` : label
}

function toFooter({ freshness, headSha }: Pick<Answered, 'freshness' | 'headSha'>, cited: Citation[], now: Date): string {
  const heads = [...new Set(cited.filter(({ sha }) => sha === headSha).map(({ repository, sha }) => `${code(`${repository}@${sha.slice(0, 7)}`)} · head of this pull request`))]
  const indexed = freshness
    .slice(0, mostRepositories)
    .map(({ repository, sha, indexedAt }) => `${code(`${repository}@${sha.slice(0, 7)}`)} · indexed ${toAge(now.getTime() - new Date(indexedAt).getTime())}`)
  const more = freshness.length > mostRepositories ? [`and ${freshness.length - mostRepositories} more`] : []
  const parts = [...heads, ...indexed, ...more]
  return parts.length === 0 ? '' : `<sub>${parts.join(' · ')}</sub>`
}

/** A name as code, where nothing in it is live. */
function code(name: string): string {
  return `\`${visible(name).replace(/[`\n]/g, ' ').replace(/<!--/g, '<! --').trim()}\``
}
