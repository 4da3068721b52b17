import type { TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { countAnswersOf } from '#db/tenant/answers.ts'
import { listRepositories } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { toSettings } from '../indexing/settings.ts'
import type { Logger } from '../log.ts'
import type { DecidedAudience } from '../retrieval/audience.ts'
import type { MentionEvent } from './mention-event.ts'
import type { Permissions } from './permissions.ts'

export type MentionAudience =
  /** `trusted`: the asker may write here. */
  | { kind: 'answer'; audience: DecidedAudience; trusted: boolean }
  /** `say`: the one line that tells why not. */
  | { kind: 'refuse'; reason: string; say: string }
  | { kind: 'silent'; reason: string }

/** Answers that somebody who may not write gets in a public repository in an hour; the next question is told so, further ones nothing. */
export const publicAnswersAnHour = 5
const hourMs = 3_600_000

export const refusals = {
  unknown: 'GitHub does not tell me right now what you may read here, so I do not answer. Ask again in a few minutes.',
  unread: 'I answer here only people who may read this repository, and GitHub does not say so of you.',
  often: `I answer ${publicAnswersAnHour} questions an hour here for people who cannot write to this repository. Ask again in an hour.`,
}

/**
 * Who reads the answer to a mention, decided before any text is read: by the repository's visibility and by what GitHub
 * says that this very person may do. What cannot be told opens nothing.
 *
 * | repository | asker | answered from |
 * |---|---|---|
 * | public | any | public repositories of the tenant; without write, so many an hour |
 * | private | may read it | itself, and those of its `.nura.yml` which the asker may read and which are open to the tenant |
 * | private | else | nothing |
 *
 * @param repository our row; null where it is not connected
 * @throws NuraError where GitHub asks to wait or the App is not installed any more
 */
export async function decideMention(
  parts: { permissions: Permissions; log: Logger; now: () => Date; /** The answer is there already, and counts. */ made?: boolean },
  tenant: TenantDb,
  event: MentionEvent,
  repository: Repository | null,
  signal: AbortSignal,
): Promise<MentionAudience> {
  const { installationId, author } = event
  const right = await orNull(parts.permissions.rightOf(installationId, repository?.location ?? event.repository, author, signal), parts.log)
  if (right === null) return { kind: 'refuse', reason: 'rights-unknown', say: refusals.unknown }
  // Public only where both say so: a row may be older than what was made private, a delivery as well.
  if (!event.isPrivate && repository?.isPublic === true) {
    const asked = right === 'write' ? 0 : (await countOfLastHour(tenant, event, parts.now())) - (parts.made ? 1 : 0)
    if (asked > publicAnswersAnHour) return { kind: 'silent', reason: 'too-often' }
    if (asked === publicAnswersAnHour) return { kind: 'refuse', reason: 'too-often', say: refusals.often }
    return { kind: 'answer', audience: { kind: 'public' }, trusted: right === 'write' }
  }
  if (right === 'none') return { kind: 'refuse', reason: 'no-right', say: refusals.unread }
  const others = event.isPrivate && repository !== null ? await readOthers(parts, tenant, event, repository, signal) : []
  return { kind: 'answer', audience: { kind: 'repositories', ids: repository === null ? [] : [repository.id, ...others] }, trusted: right === 'write' }
}

/** Whether somebody who may not write here was told already that it is enough for this hour. */
export async function isTooOften(tenant: TenantDb, event: MentionEvent, now: Date): Promise<boolean> {
  return !event.isPrivate && (await countOfLastHour(tenant, event, now)) > publicAnswersAnHour
}

function countOfLastHour(tenant: TenantDb, event: MentionEvent, now: Date): Promise<number> {
  return countAnswersOf(tenant, toAsker(event), new Date(now.getTime() - hourMs))
}

/** Who asks, as rows name it. */
export function toAsker({ installationId, author }: MentionEvent): string {
  return `github:${installationId}:${author.id}`
}

/** The repositories that the settings of this one name, as far as the tenant and GitHub open them to the asker. */
async function readOthers({ permissions, log }: { permissions: Permissions; log: Logger }, tenant: TenantDb, { installationId, author }: MentionEvent, repository: Repository, signal: AbortSignal): Promise<string[]> {
  const named = new Set(toSettings(repository.settings).sources.map((name) => name.toLowerCase()))
  if (named.size === 0) return []
  const wanted = (await listRepositories(tenant)).filter(
    ({ id, source, audience, location, installationId: of }) =>
      id !== repository.id && source === 'github' && audience === 'tenant' && of === installationId && named.has(location.toLowerCase()),
  )
  const judged = await Promise.all(wanted.map(async ({ id, location }) => ({ id, right: await orNull(permissions.rightOf(installationId, location, author, signal), log) })))
  return judged.filter(({ right }) => right === 'read' || right === 'write').map(({ id }) => id)
}

/** A right that GitHub does not tell is none; only where it asks to wait, waiting helps. */
async function orNull<Right>(asked: Promise<Right>, log: Logger): Promise<Right | null> {
  try {
    return await asked
  } catch (error) {
    if (!(error instanceof NuraError) || error.retryAt || error.code === 'github-not-installed') throw error
    log.warn({ err: error }, 'GitHub does not tell a right')
    return null
  }
}
