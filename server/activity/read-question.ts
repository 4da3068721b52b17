import type { Day } from './days.ts'
import { readFilters } from './read-filters.ts'
import { readRange } from './read-range.ts'
import type { ReadRange } from './read-range.ts'
import type { ReportKind, ReportQuery } from './report-query.ts'

export type ReadQuestion = { queries: ReportQuery[] } | { unclear: string } | null

/** Days after which a pull request is stuck, unless the question says others. */
const stuckDays = 14
const longest = 400

const pulls = /\b(?:pull[ -]?requests?|prs?|merge requests?|mrs?)\b/
const issues = /\b(?:issues?|bugs?|tickets?|bug reports?)\b/
const verbs = 'ship(?:ped)?|merge[d]?|release[d]?|deploy(?:ed)?|land(?:ed)?|deliver(?:ed)?|close[d]?|open(?:ed)?|review(?:ed)?|publish(?:ed)?|finish(?:ed)?'

/** Politeness says nothing. */
const polite = /^(?:(?:hey|hi|hello|ok|okay|please|so|and|nura|@nura)[,!]? |(?:can|could|would|will) you (?:please |quickly )?(?=(?:tell|show|list|give|count|summarise|summarize)\b)|(?:tell|show|give|remind) (?:me|us)(?: about)? |i(?:['’]d like| want| need) to (?:know|see) |do you know |(?:let me|let us|let's) see |(?:an? )?(?:quick |short )?(?:summary|overview) of (?=what |everything |all |the pull |the prs ))+/

/** How a question begins that asks for numbers or lists of what happened. */
const opening = new RegExp(
  `^(?:how (?:many|much|long|old|fast|quick(?:ly)?|often)\\b|(?:what|whats|what['’]s|which|who|whose|anything|everything|list|show|count|number of|the number of|all|any|when (?:was|did)|did|has|have|was|were|are there|is there|is anything|are any|do we have any|how (?:did|does|do|was|is|has) .*\\b(?:compare|compared|this|last|going)\\b|compare|summari[sz]e|report)\\b|(?:the )?(?:average|median|mean|typical|cycle time|lead time|time to merge|review (?:load|time)|oldest|longest|top|most|busiest|slowest|stuck|stale|open|merged|shipped|closed|opened|unreviewed|failed|failing|prs?|pull requests?|issues|bugs|releases|deployments?|reviews|activity|throughput|merge requests?|(?:this|last) (?:week|month|quarter|year)|\\w+(?:['’]s) (?:open |merged |stuck )?(?:prs?|pull requests?|issues|reviews)|[\\w/-]+ (?:prs|pull requests|issues|releases|deployments))\\b)`,
)

/** Of code, documents and how things work, not of what happened. */
const elsewhere = [
  /^(?:how (?:do|does|can|could|should|would|to|is|are|will) )(?!.*\b(?:compare|compared)\b)(?!.*\b(?:pull requests?|prs|issues|bugs)\b.*\b(?:open|opened|merged|closed|stuck|waiting|take)\b.*\b(?:last|this|in)\b (?:week|month|quarter|year))/,
  /^(?:where|why|explain|describe|define|write|create|make|add|fix|implement|help|should|can|could|would|must|may|please|does|do (?!we have any))\b/,
  /\b(?:what|which|who) (?:happens|handles|calls|uses|checks|decides|implements|writes|owns|maintains|knows|creates|sends|triggers|stores|posts|calculates|defines|controls|means?)\b/,
  /\bwhat (?:does|do|would|should|can|could|will)\b(?!.*\bteam\b.*\bship)/,
  /\b(?:what|which) (?:is|are|was) (?:the |a |an |our )?(?:purpose|meaning|difference|definition|policy|process|workflow|procedure|rule|rules|plan|plans|format|schema|name|url|address|limit|convention|strategy|template|checklist|pricing|price|architecture|reason|branch|default)\b/,
  /\b(?:which|what|the|a|an|each|this|that|our) (?:[\w-]+ ){0,3}(?:file|function|class|method|module|code|endpoint|table|column|config(?:uration)?|setting|handler|webhook|event|variable|field|script|package|library|api|component|interface|constant|cron|queue|parser|renderer|pipeline|workflow|template|schema|migration|test|tests|documentation|readme|guide|page|command|flag|option|permission|token|secret|rate limit|agent|bot|plan|plans|summary|summaries|comment|comments|notes|policy|process|checklist|branch protection|button|feature flag)s?\b(?! (?:team|label|repo|repository)\b)/,
  /\b(?:documented|configured|implemented|tested|covered by|defined|stored|supposed to|works?|working|responsible for|used (?:for|by|in)|need to|have to|allowed|possible|support(?:s|ed)?|mean|explain|when a|when an|if a|if an|after a|before a|once a)\b/,
]

/**
 * Reads what a question asks of the activity in repositories: what is asked for, over which time, and of what. It knows no
 * rows and calls nobody: the same words on the same day always say the same.
 *
 * @param today in the asker's zone
 * @param repositories full names of those that may be meant
 * @returns null when it is no question about activity; `unclear` with how to ask instead
 */
export function readQuestion(text: string, { today, repositories }: { today: Day; repositories: string[] }): ReadQuestion {
  if (text.length > longest) return null
  const asked = text.replace(/<[^>]*>/g, ' ').replace(/[*_~]{2,}/g, '').replace(/\s+/g, ' ').trim().toLowerCase().replace(polite, '').trim()
  if (!opening.test(asked)) return null
  const time = readRange(asked, today)
  const { filters, by, rest } = readFilters(time === null ? asked : asked.replace(time.said, ' · '), repositories)
  const words = rest.replace(/\s+/g, ' ').trim()
  const isTimed = time !== null
  if (elsewhere.some((pattern) => pattern.test(words) || pattern.test(asked))) return null
  const kinds = findKinds(words, asked, isTimed, by !== null)
  if (kinds.length === 0) return null
  const unclear = kinds.some(({ kind }) => !timeless.has(kind)) ? unclearOf(time) : null
  if (unclear !== null) return { unclear }
  const range = time !== null && 'range' in time ? time.range : null
  const days = readStuckDays(asked)
  if (days !== null && (days < 1 || days > 3_650)) return { unclear: 'Say for how many days nothing must have happened, such as «stuck for more than 14 days».' }
  return {
    queries: kinds.map(({ kind, of, first, label }) => ({
      kind,
      of,
      range: timeless.has(kind) ? null : (range ?? lastWeeks(kind, today)),
      by,
      filters: label === undefined || filters.label !== undefined ? filters : { ...filters, label },
      days: days ?? stuckDays,
      first,
    })),
  }
}

/** What is asked of the state of now, whatever time stands beside it. */
const timeless = new Set<ReportKind>(['in-review', 'stuck', 'open', 'oldest'])

function unclearOf(time: ReadRange): string | null {
  return time !== null && 'unclear' in time ? time.unclear : null
}

/** Where no time is said, some weeks up to now; speed and load say little of a few days. */
function lastWeeks(kind: ReportKind, today: Day): ReportQuery['range'] {
  const many = kind === 'releases' || kind === 'deployments' ? 'in the last 30 days' : kind === 'cycle-time' || kind === 'reviews' ? 'in the last 30 days' : 'in the last 7 days'
  const found = readRange(many, today)
  return found !== null && 'range' in found ? found.range : null
}

function readStuckDays(asked: string): number | null {
  const match = /\b(?:more than|over|at least|longer than|older than|for|>) (?:the last )?(\d{1,4}|a|one|two|three|four|six) (day|week|month)s?\b/.exec(asked)
  if (!match) return null
  const many = { a: 1, one: 1, two: 2, three: 3, four: 4, six: 6 }[match[1]!] ?? Number(match[1])
  return many * { day: 1, week: 7, month: 30 }[match[2] as 'day']!
}

type Found = { kind: ReportKind; of: 'pulls' | 'issues'; first: ReportQuery['first']; label?: string }

/** Each thing that is asked, in the order in which it is told. */
function findKinds(words: string, asked: string, isTimed: boolean, isRanked: boolean): Found[] {
  const has = (pattern: RegExp) => pattern.test(words)
  const hasPulls = has(pulls)
  const hasIssues = has(issues)
  const bug = has(/\bbugs?\b|\bbug reports?\b/) ? { label: 'bug' } : {}
  const of = hasIssues && !hasPulls ? ('issues' as const) : ('pulls' as const)
  const found: Found[] = []
  const add = (kind: ReportKind, more: Partial<Found> = {}) => {
    if (!found.some((each) => each.kind === kind)) found.push({ kind, of, first: null, ...(of === 'issues' ? bug : {}), ...more })
  }
  const counts = has(/\b(?:how many|how much|number of|count|list|show|which|what|who|any|anything|most|busiest|average|median)\b/)

  // What went out.
  const shipped = has(/\b(?:shipped|went live|gone live|went out|gone out|go out|got out|landed|delivered)\b|\bdid .*\b(?:ship|land|deliver)\b|\b(?:we|team|they|i|everyone|everybody|author) (?:all )?(?:ship|deliver|get done|got done)\b|\bgot done\b|\bget done\b/)
  if (shipped && (isTimed || isBareShipped(words))) add('shipped', { of: 'pulls' })
  // How long things take.
  const firstReview = has(/\b(?:wait(?:ed|ing)?|time|long|quick(?:ly)?|fast)\b.*\b(?:first )?reviews?(?:ed)?\b|\breview (?:time|latency|turnaround|speed)\b|\btime to (?:the )?first review\b/) && has(/\b(?:how long|how quick(?:ly)?|how fast|average|median|typical|time to|review (?:time|latency|turnaround|speed)|time)\b/)
  const cycle = has(/\b(?:cycle time|lead time|time to merge|merge time|turnaround)\b/) || (has(/\b(?:how long|how quick(?:ly)?|how fast|how much time|average time|median time)\b/) && has(/\b(?:take|took|taken|merge[ds]?|merging|from open(?:ed|ing)?)\b/) && (hasPulls || has(/\bopen(?:ed|ing)? to merg/)))
  const tellsWait = has(/\bhow long\b.*\b(?:in review|been (?:open|waiting|in review|stuck))\b/) && !isTimed
  // Merged.
  const isMerged = has(/\bmerge[ds]?\b|\bgot in\b/)
  const mergedOnly = isMerged && (isTimed || has(/\bmerged\b|\bdid .*\bmerge\b/)) && (hasPulls || (counts && (isTimed || isRanked)) || (isTimed && has(/^(?:merged|was|were|did|has|have|anything|everything)\b/)))
  if (mergedOnly && (!(cycle || firstReview) || has(/\bhow many\b/))) add('merged', { of: 'pulls' })
  if ((cycle || firstReview) && !tellsWait && (hasPulls || has(/\b(?:cycle time|lead time|time to merge|first review|review time|reviews?|changes?)\b/))) add('cycle-time', { of: 'pulls', first: firstReview && !has(/\bcycle time|merg/) ? 'review' : 'merge' })
  // Opened and closed.
  const isOpened = has(/\b(?:opened|created|filed|reported|raised|came in|new)\b|\bdid .*\bopen\b|\b(?:who|authors?) open(?:s|ed)?\b/) && (hasPulls || hasIssues)
  const isClosed = has(/\b(?:closed|resolved|fixed|solved)\b|\bdid .*\b(?:close|resolve|fix)\b/) && (hasPulls || hasIssues)
  const asOfNow = has(/\b(?:still open|are open|is open|currently open|open right now|remain open|currently)\b/) || (has(/\bopen (?:issues?|bugs?|tickets?|prs?|pull requests?|bug reports?)\b/) && !has(/\b(?:opened|closed|created)\b/))
  if ((isOpened || isClosed) && (isTimed || (counts && isOpened && isClosed) || isRanked) && !asOfNow) add('opened-closed', { first: isOpened ? 'opened' : 'closed' })
  // Releases and deployments.
  const releases = has(/\breleases?\b/) && (has(/\b(?:how many|which|list|show|what|any|number of|count|when was|latest|last)\b/) || isTimed) && (isTimed || has(/\b(?:how many|latest|last|recent|list|all|our) (?:\w+ )?releases?\b|\breleases? (?:did|were|have|has|was)\b/)) && !has(/\brelease (?:notes|process|branch|workflow|script|plan|cycle|checklist|train|manager|candidate)\b/)
  const released = has(/\b(?:released|published|did .* release)\b/) && (isTimed || isRanked) && counts
  if (releases || (released && !has(/\breleases\b/))) add('releases', { of: 'pulls' })
  const deploys = has(/\b(?:deploy(?:s|ed|ments?|ment)?|rollouts?|rolled out)\b/) && (isTimed || has(/\b(?:how many|which|list|any|are there|show|latest|last|failed|failing|broken)\b/)) && !has(/\bdeploy(?:ment)? (?:process|guide|script|pipeline|key|token|config|target|strategy|order)\b/)
  if (deploys && !(has(/\bstuck\b/) && !has(/\bhow many\b/))) add('deployments', { of: 'pulls', first: has(/\b(?:fail(?:s|ed|ing|ures?)?|broken|broke|red)\b/) ? 'failed' : null })
  // Reviews.
  const reviewed = has(/\b(?:reviewed|reviewers?|review load|reviewing load|reviews)\b|\bdid .*\breview\b/) && !firstReview && ((isRanked && (isTimed || has(/\b(?:most|fewest|least|top|reviewed)\b/))) || has(/\breview(?:ing)? load\b|\bhow many reviews\b|\breviews (?:did|were|has|have)\b/) || (isTimed && (has(/\breviews\b|\bdid .*\breview\b|\breviewed\b/)))) && !has(/\b(?:in|waiting for|awaiting|without|need(?:s|ing)?|for) (?:a |any )?(?:first )?reviews?\b|\bunreviewed\b|\bnot (?:been |yet )?reviewed\b/)
  if (reviewed) add('reviews', { of: 'pulls' })
  // What there is now.
  const oldest = has(/\b(?:oldest|longest[- ](?:open|running|waiting)|been open (?:the )?longest|open (?:the )?longest)\b/) && (hasPulls || hasIssues || has(/\bopen\b/))
  if (oldest) add('oldest')
  const stuck = has(/\b(?:stuck|stale|blocked|stalled|idle|abandoned|forgotten|gone quiet|no activity|without activity|not moved|not moving|lingering|held up|falling behind)\b/) && (hasPulls || hasIssues || has(/(?:^|\band |, )(?:what|whats|what['’]s|anything|is anything|everything|who)(?: else)?(?: (?:is|are|has been|got|they))*(?: (?:currently|still|now))? (?:stuck|stale|blocked|stalled|idle|held up|lingering)\b(?! (?:by|on|in the|at) )/)) && !has(/\bblocked (?:by|on) (?:the|a|an)\b/) && !has(/\b(?:job|queue|process|thread|build|loop|request is)s?\b/)
  if (stuck) add('stuck', { of: 'pulls' })
  const inReview = has(/\b(?:in review|in code review|under review|up for review|being reviewed|wait(?:s|ing)? (?:for|on) (?:a |an |their |the |my )?(?:first )?(?:review|reviews|approval|reviewers?)|awaiting (?:a |first )?(?:review|approval)|need(?:s|ing)? (?:a |first )?review|unreviewed|without (?:a |any )?reviews?|not (?:been |yet )?(?:been )?reviewed|no reviews?)\b/) && (hasPulls || has(/^(?:what|whats|what['’]s|which|how (?:many|long|much)|anything|is anything|list|show|who|are|unreviewed|open)\b|\b(?:and|,) (?:what|which)\b/))
  if (inReview && !stuck && !(cycle || (firstReview && isTimed))) add('in-review', { of: 'pulls' })
  const open = asOfNow || (has(/\bopen\b/) && (hasPulls || hasIssues) && !isTimed && !(isOpened || isClosed) && !has(/\bto open\b|\bopening\b/) && (counts || has(/^open\b|\bby (?:label|author|team|repository)\b|^\S+['’]s open/) || isRanked))
  if (open && !oldest && !inReview && !stuck && (hasPulls || hasIssues)) add('open')
  // How it went.
  const went = (has(/\b(?:busiest|most active|quietest)\b/) && isRanked) || (has(/\bcompared?\b|\bthroughput\b|\bactivity\b|\bproductive\b/) && isTimed && !hasIssues) || (isTimed && has(/^(?:what happened|what['’]s new|what was done|what got done|what changed|summari[sz]e|report|compare)\b/) && !has(/\b(?:in|to) (?:the )?\w+ (?:code|file|module|api)\b/))
  if (went && found.length === 0) add(has(/\bbusiest|most active|quietest\b/) || /compare/.test(asked) ? 'merged' : 'shipped', { of: 'pulls' })
  // Numbers told apart, with a thing and a time but no verb: «PRs last week by team».
  if (found.length === 0 && isTimed && hasPulls && (isRanked || has(new RegExp(`^(?:how many|number of|prs|pull requests)\\b`))) && !has(new RegExp(`\\b(?:${verbs})\\b`))) add('merged')
  if (found.length === 0 && isTimed && hasIssues && isRanked && !has(new RegExp(`\\b(?:${verbs})\\b`))) add('opened-closed', { first: 'opened' })
  return found
}

/** Without a time, only what says nothing else than that it is about what went out of late. */
function isBareShipped(words: string): boolean {
  return /^(?:what|whats|what['’]s|anything|which changes) (?:(?:have|has|did|was|were|got|all) )*(?:(?:we|they|you|the team|our team|everyone|everybody|author|i|team)? ?)(?:been )?(?:ship|shipped|get done|got done|land|landed|deliver|delivered|went out|gone out)(?: recently| lately| so far| of late)?(?:,? and\b.*)?[?.! ]*$/.test(words)
}
