import type { Aspect, Filters } from './report-query.ts'

/** What a question names, and the question without that: a label `merged` must not be taken for a verb. */
export type ReadFilters = { filters: Filters; by: Aspect | null; rest: string }

const aspects: Record<string, Aspect> = {
  author: 'author', authors: 'author', person: 'author', people: 'author', developer: 'author', engineer: 'author', contributor: 'author', reviewer: 'author', somebody: 'author', who: 'author',
  label: 'label', labels: 'label', team: 'team', teams: 'team', repository: 'repository', repositories: 'repository', repo: 'repository', repos: 'repository', project: 'repository',
  day: 'day', week: 'week', month: 'month',
}
const aspectWords = Object.keys(aspects).filter((word) => word !== 'who' && word !== 'somebody').toSorted((a, b) => b.length - a.length).join('|')

/** Words that stand where a name may stand, and are none. */
const noTeam = 'the|our|my|your|their|whole|entire|a|an|this|that|each|every|which|what|per|by|same|another|one|any|no|of|other|and|or|for|from|in|did|does|has|have|is'
const noAuthor = new Set(
  `${aspectWords}|the|a|an|us|me|them|him|her|you|we|they|it|each|every|type|kind|age|size|far|now|then|next|default|hand|mistake|number|count|status|state|today|yesterday|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|may|june|july|august|september|october|november|december|our|my|your|their|this|that|last|how|who|whom|which|what|any|anyone|anybody|someone|everyone|nobody|bots|merging|opening|and|or|q1|q2|q3|q4|environment|release|branch|end|itself|itself|himself|time|date|pull|pr|prs|issue|issues|review|reviews|quarter|year|sprint|github`.split('|'),
)
const name = '[\\w][\\w.:/+-]*'
const quoted = '["“\'‘`«]([^"”\'’`»]+)["”\'’`»]'

/**
 * Reads what a question names, and by what it wants numbers told apart.
 *
 * @param text lower case
 * @param repositories full names of those that may be meant
 */
export function readFilters(text: string, repositories: string[]): ReadFilters {
  const filters: Filters = {}
  let rest = text
  const take = (pattern: RegExp, accept: (match: RegExpExecArray) => boolean = () => true): RegExpExecArray | null => {
    for (const match of rest.matchAll(new RegExp(pattern, pattern.flags.includes('g') ? pattern.flags : `${pattern.flags}g`))) {
      if (!accept(match)) continue
      // A verb stays without its subject.
      const verb = /^(?:did|has|have|does|is)\b/.exec(match[0])?.[0]
      rest = `${rest.slice(0, match.index)} ${verb ? `${verb} they` : ''} ${rest.slice(match.index + match[0].length)}`
      return match
    }
    return null
  }

  const label = take(new RegExp(`\\b(?:(?:that (?:are|were)|which (?:are|were) )?(?:labell?ed|tagged)(?: (?:as|with))?|with (?:the |a )?labels?|under (?:the )?label|carrying (?:the )?label)(?: (?:as|with))? (?:${quoted}|(${name}))`), ([, , bare]) => !['most', 'by', 'and'].includes(bare ?? ''))
    ?? take(new RegExp(`\\bwith (?:the )?(?:${quoted}|(${name})) label\\b`))
  if (label) filters.label = trim(label[1] ?? label[2]!)

  const repository = findRepository(take, repositories)
  if (repository !== null) filters.repository = repository

  const grouped = take(new RegExp(`\\b(?:by|per|for each|for every|grouped by|broken down by|split by|each) (?:the )?(${aspectWords})\\b`))
  const team = take(new RegExp(`\\b(?:(?:by|from|of|for|in|did|has|have|does|is) )?(?:the )?(?!(?:${noTeam})\\b)(?:${quoted}|([\\w-]+?))(?:['’]s)? team(?:['’]s)?\\b`))
  if (team) filters.team = trim(team[1] ?? team[2]!)

  const base = take(new RegExp(`\\b(?:into|against|to|on|in) (?:the )?(?:branch )?(?:${quoted}|(main|master|develop|development|trunk|staging|production|release/${name}))(?: branch)?\\b`), ([said]) => !/\bdeploy/.test(text) || /branch/.test(said))
    ?? take(new RegExp(`\\b(?:into|against|to|on) (?:the )?(${name}) branch\\b`))
  if (base) filters.base = trim(base[1] ?? base[2] ?? base[3]!)

  const author = take(new RegExp(`\\b(?:by|authored by|from) @?(${name}(?:\\[bot\\])?)`), ([said, who]) => isAuthor(who!) && (said.startsWith('from') ? said.includes('@') : true))
    ?? take(/\bdid @?([\w-]+)(?= (?:merge|ship|open|review|release|close|get|deploy|do|make|write)\b)/, ([, who]) => isAuthor(who!))
    ?? take(/\b(?:has|have) @?([\w-]+)(?= (?:merged|shipped|opened|reviewed|released|closed|deployed))/, ([, who]) => isAuthor(who!))
    ?? take(/(?:^|\s)@?([\w-]+)['’]s (?=(?:open |merged |last |stuck )?(?:prs?|pull requests?|reviews|issues)\b)/, ([, who]) => isAuthor(who!) && !['what', 'who', 'there', 'let', 'it', 'week', 'month', 'year', 'quarter'].includes(who!))
  if (author) filters.author = trim(author[1]!)

  return { filters, by: grouped ? aspects[grouped[1]!]! : readRanking(text), rest }
}

/** What a superlative asks for, such as «who merged the most» and «the busiest month». */
function readRanking(text: string): Aspect | null {
  const busiest = new RegExp(`\\b(?:busiest|slowest|quickest|fastest|most active|top|quietest) (?:\\d+ )?(${aspectWords}|authors|developers|reviewers|days|weeks|months)\\b`).exec(text)
  if (busiest) return aspects[busiest[1]!] ?? aspects[busiest[1]!.replace(/s$/, '')]!
  if (/\bwho\b/.test(text)) return 'author'
  const most = new RegExp(`\\b(?:which|what) (${aspectWords})\\b.*\\b(?:most|fewest|least|more)\\b`).exec(text)
  return most ? aspects[most[1]!]! : null
}

type Take = (pattern: RegExp, accept?: (match: RegExpExecArray) => boolean) => RegExpExecArray | null

/** One that is there, by its full or short name; else one that is clearly named as a repository. */
function findRepository(take: Take, repositories: string[]): string | null {
  const known = new Map(repositories.flatMap((full) => [[full.toLowerCase(), full], ...(full.includes('/') ? [[full.toLowerCase().slice(full.indexOf('/') + 1), full.slice(full.indexOf('/') + 1)] as const] : [])] as [string, string][]))
  const isPlain = (each: string) => !['review', 'progress', 'production', 'total', 'time', 'general', 'all', 'it', 'us', 'main', 'this', 'the'].includes(each)
  const names = [...known.keys()].filter(isPlain).toSorted((a, b) => b.length - a.length).map(escape).join('|')
  if (names !== '') {
    const found = take(new RegExp(`\\b(?:in|of|for|to|from|on|at|with|across|inside) (?:the )?(?:repo(?:sitory)? )?["“\`]?(${names})["”\`]?(?![\\w/-]|\\.\\w)(?:['’]s)?(?: repo(?:sitory)?\\b)?`))
      ?? take(new RegExp(`(?<![\\w/.-])(${names})(?:['’]s)?(?: repo(?:sitory)?)?(?= (?:prs?|pull requests?|issues|releases?|deployments?|bugs|repo|repository)\\b)`))
    if (found) return known.get(found[1]!)!
  }
  const named = take(/\b(?:in|of|for|from|on) (?:the )?(?:repo(?:sitory)? )?([\w-]+\/[\w.-]*\w)/, ([, said]) => !said!.startsWith('release/'))
    ?? take(/\b(?:in|of|for|from) (?:the )?repo(?:sitory)? ([\w.-]*\w)/)
    ?? take(/\b(?:in|of|for|from) (?:the )?([\w.-]*\w) repo(?:sitory)?\b/, ([, said]) => !['this', 'each', 'every', 'our', 'the', 'which', 'same', 'that', 'one', 'any', 'whole'].includes(said!))
  return named?.[1] ?? null
}

function isAuthor(said: string): boolean {
  return !noAuthor.has(said.replace(/[.,?!]+$/, '')) && !/^\d/.test(said)
}

function trim(said: string): string {
  return said.replace(/[.,:;?!]+$/, '').trim()
}

function escape(said: string): string {
  return said.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
