import type { Citation, Freshness, Report } from '../answer-part.ts'
import { toAge } from '../age.ts'
import { visible } from '../models/extractive/prose.ts'
import { defang } from './defang.ts'
import { refersBack } from './refers-back.ts'
import { reportMarkdown } from './report-markdown.ts'

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
  /** Name of the repository that it is read in: where no other is cited, it goes without saying. */
  home?: string
  /** Shown below the text. */
  reports?: Report[]
  /** Said above the footer, such as what could not be read. */
  notices?: string[]
}

const mostRepositories = 3

/**
 * An answer as a comment on GitHub: its text, the sources by number as links to lines at a commit, and how fresh they are.
 * Nothing in it is live but these links, which are made here of our own rows.
 */
export function renderMarkdown({ markdown, citations, freshness, headSha, home, reports = [], notices = [] }: Answered, now: Date): string {
  const known = new Map(citations.map((citation) => [citation.n, citation]))
  // Dropped first: what stands behind a number may mean something else at the start of a line.
  const kept = changeMarkers([markdown.trimEnd(), ...reports.map(reportMarkdown)].join('\n\n'), (n, written) => (known.has(n) ? written : ''))
  const used = new Set<number>()
  const text = changeMarkers(defang(kept), (n, written) => {
    const url = known.get(n)?.url
    if (known.has(n)) used.add(n)
    return url ? written.replace(/\[\d+\]/, `[[${n}]](${url})`) : written
  })
  const cited = citations.filter(({ n }) => used.has(n)).sort((a, b) => a.n - b.n)
  const isNamed = new Set([...(home ? [home] : []), ...cited.map(({ repository }) => repository)]).size > 1
  const sources = cited.map((citation) => `[${citation.n}] ${toLink(citation, isNamed)}`)
  const footer = toFooter({ freshness, headSha }, cited, now)
  return [text.replace(/^\n+/, '').trimEnd(), sources.join('  \n'), [...notices, footer].filter(Boolean).join('  \n')].filter((part) => part !== '').join('\n\n')
}

/** One line that is no answer, such as why there is none. */
export function renderLine(line: string): string {
  return defang(line)
}

/** Changes each `[n]` outside of code; `written` has the blank before it. */
function changeMarkers(markdown: string, change: (n: number, written: string) => string): string {
  let fence: string | null = null
  const inText = (text: string) => text.replace(/[ \t]?(?<![![\\])\[(\d{1,4})\](?!\()/g, (written, digits: string) => change(Number(digits), written))
  const inLine = (line: string) => {
    let out = ''
    let at = 0
    for (const span of line.matchAll(/(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)/g)) {
      out += inText(line.slice(at, span.index)) + span[0]
      at = span.index + span[0].length
    }
    return out + inText(line.slice(at))
  }
  const lines = markdown.split('\n').map((line) => {
    const mark = /^[ \t>]*(?:[-*+] |\d+[.)] )*(`{3,}|~{3,})/.exec(line)?.[1]
    if (fence !== null) {
      if (mark?.startsWith(fence) && line.trim() === mark) fence = null
      return line
    }
    if (mark) fence = mark
    return mark ? line : inLine(line)
  })
  return lines.join('\n')
}

function toLink({ repository, path, title, startLine, endLine, url }: Citation, withRepository: boolean): string {
  if (title) return url && !refersBack(url) ? `[${code(title)}](${url})` : code(title)
  const label = code(`${withRepository ? `${repository} ` : ''}${path}#L${startLine}${endLine > startLine ? `-L${endLine}` : ''}`)
  return url ? `[${label}](${url})` : label
}

function toFooter({ freshness, headSha }: Pick<Answered, 'freshness' | 'headSha'>, cited: Citation[], now: Date): string {
  const heads = [...new Set(cited.filter(({ sha }) => sha === headSha).map(({ repository, sha }) => `${code(`${repository}@${sha.slice(0, 7)}`)} · head of this pull request`))]
  const indexed = freshness
    .slice(0, mostRepositories)
    .map(({ repository, sha, branch, indexedAt }) => `${code(branch === null ? repository : `${repository}@${sha.slice(0, 7)}`)} · indexed ${toAge(now.getTime() - new Date(indexedAt).getTime())}`)
  const more = freshness.length > mostRepositories ? [`and ${freshness.length - mostRepositories} more`] : []
  const parts = [...heads, ...indexed, ...more]
  return parts.length === 0 ? '' : `<sub>${parts.join(' · ')}</sub>`
}

/** A name as code, where nothing in it is live. */
function code(name: string): string {
  return `\`${visible(name).replace(/[`\n\u2028\u2029]/g, ' ').replace(/<!--/g, '<! --').trim()}\``
}
