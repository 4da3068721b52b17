import type { TenantDb } from '#db/index.ts'
import { readActivity } from '#db/tenant/activity-counts.ts'
import { listActivityStates, listTeamStates } from '#db/tenant/activity-history.ts'
import type { ActivityThing } from '#db/tenant/activity-selection.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { toOwnerAndRepo } from '../github/owner-and-repo.ts'
import type { ActivityAnswer, ActivitySection } from './activity-answer.ts'
import { continueQuestion } from './continue-question.ts'
import { toDay } from './days.ts'
import { findMissing } from './find-missing.ts'
import { readQuestion } from './read-question.ts'
import type { ReadQuestion } from './read-question.ts'
import type { ReportContext } from './report.ts'
import type { Filters, ReportQuery } from './report-query.ts'
import { reports } from './reports/index.ts'
import { sayList } from './say.ts'

type Asked = { text: string; /** What was asked before it in the thread. */ before?: string | null; timeZone: string; /** Only these contribute anything. */ readable: Repository[]; repository?: string | undefined }

/**
 * Answers a question about what happened in repositories: code reads it, SQL counts, code tells. No model is asked.
 *
 * @returns null when it is no question about activity
 */
export async function answerActivity({ now: clock }: { now(): Date }, tenant: TenantDb, { text, before = null, timeZone, readable, repository }: Asked): Promise<ActivityAnswer> {
  const now = clock()
  const within = readable.filter(({ name, state }) => state !== 'forgetting' && (repository === undefined || name === repository))
  const read = readInThread(text, before, { today: toDay(now, timeZone), repositories: within.map(({ name }) => name) })
  if (read === null || 'unclear' in read) return read
  const states = await listActivityStates(tenant, within.map(({ id }) => id))
  const orgs = within.filter(({ source }) => source === 'github').map(({ location }) => toOwnerAndRepo(location).owner)
  const teams = read.queries.some(({ by, filters }) => by === 'team' || filters.team !== undefined) ? await listTeamStates(tenant, orgs) : []
  const known = new Set(states.map(({ repositoryId }) => repositoryId))
  const sections = await readActivity(tenant, async (reads) => {
    const told: ActivitySection[] = []
    for (const query of read.queries) {
      const meant = query.filters.repository === undefined ? within : within.filter(({ name }) => isNamed(name, query.filters.repository!))
      const followed = meant.filter(({ id, source }) => source === 'github' || known.has(id))
      const missing = findMissing({ repositories: meant, states: states.filter(({ repositoryId }) => meant.some(({ id }) => id === repositoryId)), teams, now })
      const context = await toContext({ query, repositories: followed, timeZone, now, reads, missing, asOf: toAsOf(states, followed, now) })
      told.push(followed.length === 0 ? tellUnfollowed(context, meant) : withUnknown(await reports[query.kind](context), await findUnknown(context)))
    }
    return told
  })
  return { sections }
}

/** A question that says nothing of activity by itself may go on from one that does. */
function readInThread(text: string, before: string | null, on: Parameters<typeof readQuestion>[1]): ReadQuestion {
  const read = readQuestion(text, on)
  const isContinued = read === null && before !== null && readQuestion(before, on) !== null
  const whole = isContinued ? continueQuestion(before, text, on.today) : null
  return whole === null ? read : readQuestion(whole, on)
}

function isNamed(name: string, asked: string): boolean {
  const [full, said] = [name.toLowerCase(), asked.toLowerCase()]
  return full === said || full.slice(full.indexOf('/') + 1) === said
}

/** Up to when everything is known: the oldest of the last looks. */
function toAsOf(states: { repositoryId: string; syncedAt: Date | null }[], repositories: Repository[], now: Date): Date {
  const times = states.filter(({ repositoryId }) => repositories.some(({ id }) => id === repositoryId)).flatMap(({ syncedAt }) => (syncedAt === null ? [] : [syncedAt.getTime()]))
  return new Date(Math.min(now.getTime(), ...times))
}

async function toContext(given: Omit<ReportContext, 'of' | 'select'>): Promise<ReportContext> {
  const { query, repositories, timeZone, now, reads } = given
  const ids = repositories.map(({ id }) => id)
  // A label is told as it is written there, however it was asked for.
  const label = query.filters.label === undefined ? undefined : ((await reads.names(ids, { label: query.filters.label })).label ?? query.filters.label)
  const { author, team, base } = query.filters
  const ownRange = query.range && { from: query.range.from, to: query.range.to }
  return {
    ...given,
    of: toWords({ ...query.filters, label }),
    select: (of: ActivityThing, range = ownRange) => ({ of, repositories: ids, timeZone, now, range: range && { from: range.from, to: range.to }, label, author, team, base, days: query.days }),
  }
}

function toWords({ repository, label, author, team, base }: Filters): string {
  return [
    ...(label === undefined ? [] : [` labelled ${label}`]),
    ...(author === undefined ? [] : [` by ${author}`]),
    ...(team === undefined ? [] : [` by the ${team} team`]),
    ...(base === undefined ? [] : [` into ${base}`]),
    ...(repository === undefined ? [] : [` in ${repository}`]),
  ].join('')
}

/** A name that nothing here has is told: a number of none would hide a slip of the pen. */
async function findUnknown({ query, repositories, reads }: ReportContext): Promise<string[]> {
  const { label, team, author } = query.filters
  if (label === undefined && team === undefined && author === undefined) return []
  const found = await reads.names(repositories.map(({ id }) => id), { label, team, author })
  return [
    ...(label !== undefined && found.label === null ? [`No pull request or issue here is labelled ${label}.`] : []),
    ...(team !== undefined && !found.team ? [`No team here is called ${team}.`] : []),
    ...(author !== undefined && !found.author ? [`Nobody called ${author} did anything here.`] : []),
  ]
}

function withUnknown(section: ActivitySection, unknown: string[]): ActivitySection {
  const [lead, ...rest] = section.sentences
  if (unknown.length === 0 || !lead) return section
  return { ...section, sentences: [{ ...lead, text: `${lead.text} ${unknown.join(' ')}` }, ...rest], report: { ...section.report, missing: [...section.report.missing, ...unknown] } }
}

/** There is nothing to count: no such repository, or none that is followed. */
function tellUnfollowed({ query, timeZone, asOf, missing }: ReportContext, meant: Repository[]): ActivitySection {
  const named = query.filters.repository
  const sentence =
    meant.length > 0 ? (missing[0] ?? `What happens in ${sayList(meant.map(({ name }) => name))} is not followed.`)
    : named !== undefined ? `There is no repository ${named} here, or none that you may see.`
    : 'There is no repository here whose activity you may see.'
  return {
    sentences: [{ text: sentence, lists: [] }],
    lists: [],
    report: { title: titles[query.kind], asOf: asOf.toISOString(), timeZone, range: query.range && { from: query.range.from, to: query.range.to }, figures: [], table: null, chart: null, missing },
  }
}

const titles: Record<ReportQuery['kind'], string> = {
  shipped: 'Shipped', merged: 'Merged', 'opened-closed': 'Opened and closed', 'in-review': 'In review', stuck: 'Stuck', 'cycle-time': 'Cycle time',
  releases: 'Releases', deployments: 'Deployments', reviews: 'Reviews', open: 'Open', oldest: 'Oldest',
}
