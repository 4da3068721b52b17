import type { Db, TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { findTenant } from '#db/shared/tenants.ts'
import { fatesOfCited, readThumbsDown, turnsBefore } from '#db/tenant/thumbs-down.ts'
import type { ThumbsDown } from '#db/tenant/thumbs-down.ts'
import type { Core } from '#server/create-core.ts'
import type { Replayed } from '#server/replay-answer.ts'
import { readableRepositories } from '#server/retrieval/readable-repositories.ts'
import { compareCited, isFromOpen, repositoryIdsOf, toCase } from './feedback/read-case.ts'
import type { Case, CitedNow, CitedThen } from './feedback/read-case.ts'

export type FeedbackResult = { tenant: string; cases: FeedbackCase[]; costUsd: number }

/** An answer that was found bad, then and now. Text, and places that may not be told, are null. */
export type FeedbackCase = {
  answerId: string
  askedAt: string
  /** Who was to read it: `tenant`, `channel`, `person`, `public`, `repositories`; null where that was not kept. */
  audience: string | null
  people: number
  reasons: string[]
  /** Why text is held back; null where all is told. */
  withheld: string | null
  question: string | null
  /** What is not kept that it was asked with. */
  lacking: string[]
  before: { agent: string; abstained: boolean; strength: number | null; markdown: string | null; cited: CitedThen[] | null }
  /** Null where it was not asked again; `failure` where no answer came of it. */
  now: { agent: string; abstained: boolean; strength: number | null; markdown: string | null; cited: CitedNow[] | null } | { failure: string } | null
  counts: { citedThen: number; stillThere: number; citedAgain: number; citedNow: number }
}

/** Reasons that a button gives; what people write by themselves is told only where their question is. */
const fixedReasons = new Set(['wrong', 'incomplete', 'sources'])
const mostTurns = 12

/**
 * Asks again, of the present index and for the same readers, what somebody found badly answered. Nothing is written.
 *
 * It is told to the tenant's operator, who may read what everyone in the tenant may. Of what was asked in private, and of answers that
 * were told then, or are told now, from a source that is not open to everyone or is no longer there, figures are told and no text.
 * @param most answers, the newest first
 * @throws NuraError `unknown-tenant`
 */
export async function replayFeedback({ db, core }: { db: Db; core: Pick<Core, 'replay' | 'mayReadOnGithub'> }, slug: string, most: number, signal: AbortSignal): Promise<FeedbackResult> {
  const found = await findTenant(db, slug)
  if (!found) throw new NuraError('unknown-tenant', `There is no tenant "${slug}".`)
  const tenant = await db.tenant(found.id)
  const open = new Map((await readableRepositories({ db }, tenant, { kind: 'tenant' })).map(({ id, name }) => [id, name]))
  const cases: FeedbackCase[] = []
  let costUsd = 0
  for (const row of await readThumbsDown(tenant, most)) {
    const turns = await turnsBefore(tenant, row.id, mostTurns)
    const asked = toCase(row, turns.length)
    const now = asked.question && (await replay(core, tenant, row, asked.question, turns, signal))
    costUsd += now && 'costUsd' in now ? now.costUsd : 0
    cases.push(toFeedbackCase(asked, now, await fatesOfCited(tenant, row.id), open))
  }
  return { tenant: slug, cases, costUsd }
}

async function replay(core: Pick<Core, 'replay'>, tenant: TenantDb, row: ThumbsDown, question: NonNullable<Case['question']>, turns: Parameters<Core['replay']>[2], signal: AbortSignal): Promise<Replayed | { failure: string }> {
  try {
    return await core.replay(tenant, { ...question, text: row.question }, turns, signal)
  } catch (error) {
    if (!(error instanceof NuraError) || signal.aborted) throw error
    return { failure: error.code }
  }
}

function toFeedbackCase({ row, citations, strength, question, lacking }: Case, now: Replayed | { failure: string } | null, fates: Awaited<ReturnType<typeof fatesOfCited>>, open: ReadonlyMap<string, string>): FeedbackCase {
  const replayed = now && 'markdown' in now ? now : null
  const withheld = whyWithheld(row, question, replayed, open)
  // An answer that found nothing names what came closest, which is no source of an answer.
  const isAlike = replayed?.abstained === row.abstained
  const cited = compareCited(citations, replayed?.citations ?? [], fates, isAlike)
  const told = <T>(value: T): T | null => (withheld === null ? value : null)
  return {
    answerId: row.id,
    askedAt: new Date(row.createdAt).toISOString(),
    audience: question?.audience.kind ?? null,
    people: row.people,
    reasons: row.reasons.filter((reason) => withheld === null || fixedReasons.has(reason)),
    withheld,
    question: told(row.question),
    lacking,
    before: { agent: row.agent, abstained: row.abstained, strength, markdown: told(row.markdown), cited: told(cited.before) },
    now: replayed ? { agent: replayed.agent, abstained: replayed.abstained, strength: toStrength(replayed.trace), markdown: told(replayed.markdown), cited: told(cited.now) } : now && 'failure' in now ? now : null,
    counts: {
      citedThen: cited.before.length,
      stillThere: cited.before.filter(({ fate }) => fate === 'stands').length,
      citedAgain: cited.before.filter(({ isCitedNow }) => isCitedNow).length,
      citedNow: cited.now.length,
    },
  }
}

function whyWithheld(row: ThumbsDown, question: Case['question'], now: Replayed | null, open: ReadonlyMap<string, string>): string | null {
  if (question === null) return 'who was to read it was not kept'
  if (question.audience.kind === 'person') return 'it was asked in private'
  const ids = repositoryIdsOf(row)
  if (ids === null || !isFromOpen(row.trace, ids, open)) return 'it was told from a source that is not open to everyone, or no longer there'
  return now === null || isFromOpen(now.trace, now.repositoryIds, open) ? null : 'it is told from a source that is not open to everyone'
}

function toStrength({ strength }: Record<string, unknown>): number | null {
  return typeof strength === 'number' ? strength : null
}

/** A block of lines for each case, then a line for all. */
export function tellFeedback({ tenant, cases, costUsd }: FeedbackResult): string {
  const again = cases.flatMap(({ now }) => (now && 'agent' in now ? [now] : []))
  const sum = (count: keyof FeedbackCase['counts']) => cases.reduce((total, { counts }) => total + counts[count], 0)
  const share = `${sum('stillThere')} of ${sum('citedThen')} places cited then stand, ${sum('citedAgain')} are cited again`
  const all = `${cases.length} answers of ${tenant} were found bad; ${again.length} asked again, ${again.filter(({ abstained }) => abstained).length} not found now (then ${cases.filter(({ before }) => before.abstained).length}); ${share}`
  return [...cases.map(tellCase), `${all}${costUsd > 0 ? `; cost $${costUsd.toFixed(4)}` : ''}`].join('\n\n')
}

function tellCase({ answerId, askedAt, audience, people, reasons, withheld, question, lacking, before, now, counts }: FeedbackCase): string {
  const said = (one: { agent: string; abstained: boolean; strength: number | null }) => `${one.agent}, ${one.abstained ? 'not found' : 'answered'}${one.strength === null ? '' : `, strength ${one.strength.toFixed(2)}`}`
  const place = ({ path, startLine, endLine, repository, sha }: CitedThen | CitedNow) => `${repository} ${path}:${startLine}-${endLine}@${sha.slice(0, 7)}`
  return [
    `${answerId} (${askedAt.slice(0, 10)}, for ${audience ?? 'whom is not known'}), bad for ${people}: ${reasons.join('; ') || 'no reason told'}`,
    `  asked: ${question ?? `(withheld: ${withheld})`}`,
    ...lacking.map((what) => `  not kept: ${what}`),
    `  then:  ${said(before)}${before.markdown === null ? '' : `: ${toLine(before.markdown)}`}`,
    ...(before.cited ?? []).map((each) => `    ${place(each)} — ${each.fate ?? 'counted'}${each.isCitedNow ? ', cited again' : ''}`),
    `  now:   ${now === null ? 'not asked again' : 'failure' in now ? `no answer: ${now.failure}` : `${said(now)}${now.markdown === null ? '' : `: ${toLine(now.markdown)}`}`}`,
    ...(now && 'agent' in now ? (now.cited ?? []).filter(({ wasCitedThen }) => !wasCitedThen).map((each) => `    ${place(each)} — new`) : []),
    ...(withheld === null ? [] : [`  ${counts.stillThere} of ${counts.citedThen} places cited then stand, ${counts.citedAgain} cited again, ${counts.citedNow} cited now`]),
  ].join('\n')
}

const widest = 160

function toLine(markdown: string): string {
  const line = markdown.replace(/\s+/g, ' ').trim()
  return line.length <= widest ? line : `${line.slice(0, widest - 1)}…`
}
