import type { Db, TenantDb } from '#db/index.ts'
import { findGithubInstallation, saveGithubInstallation } from '#db/shared/github-installations.ts'
import type { GithubInstallation } from '#db/shared/github-installations.ts'
import { findRepositoryByExternalId, updateRepository } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import type { Enqueue } from '#jobs/enqueue.ts'
import type { Logger } from '../log.ts'
import type { GithubConfig } from './config.ts'
import type { GithubEvent, PushEvent, RepositoryEvent } from './github-event.ts'
import { hintInstallation, hintSync } from './hints.ts'
import { changeInstallation, changeRepository, changeSelection } from './lifecycle.ts'
import type { MentionRun } from './mention.ts'
import { notePull } from './note-pull.ts'
import { noteActivity } from './activity/note-activity.ts'
import { toOwnerAndRepo } from './owner-and-repo.ts'

export type DeliverParts = {
  db: Db
  enqueue: Enqueue
  config: Pick<GithubConfig, 'summaryIntervalMs'>
  answerMention(tenant: TenantDb, turn: MentionRun): Promise<string>
}

/**
 * Does what an event asks for, and says how that ended. What takes rights away takes effect here, from the delivery alone;
 * what gives some is asked of GitHub first, by `sync-installation`. Calls GitHub for mentions only.
 */
export async function deliver(parts: DeliverParts, tenant: TenantDb, turn: Omit<MentionRun, 'event'> & { event: GithubEvent }): Promise<string> {
  const { event, log } = turn
  const installation = await readInstallation(parts, tenant, event, log)
  if (installation === 'not-yours') return refuse(event, log)
  if (event.kind === 'installation') return changeInstallation(parts, tenant, event, log)
  if (installation.state !== 'active') return `ignored:${installation.state}`
  if (event.kind === 'selection') return changeSelection(parts, tenant, event, log)
  const repository = await findRepositoryByExternalId(tenant, event.externalId)
  if (!isOf(installation, repository, event)) return refuse(event, log)
  if (event.kind === 'mention') return parts.answerMention(tenant, { ...turn, event })
  if (event.kind === 'repository') return changeRepository(parts, tenant, repository, event, log)
  if (repository === null) return askGithub(parts, tenant, event, log)
  if (repository.state === 'forgetting') return 'ignored:forgotten'
  if (event.kind === 'activity') return noteActivity({ enqueue: parts.enqueue }, tenant, repository, event, log)
  if (event.kind === 'push') return notePush(parts, tenant, repository, event, log)
  return notePull(parts, tenant, repository, event, log)
}

/** The event's installation, kept now when the operator bound it beforehand and this is the first that it says. */
async function readInstallation({ db, enqueue }: DeliverParts, tenant: TenantDb, event: GithubEvent, log: Logger): Promise<GithubInstallation | 'not-yours'> {
  const known = await findGithubInstallation(db, event.installationId)
  if (known) return known.tenantId === tenant.id ? known : 'not-yours'
  const account = event.kind === 'mention' ? { id: null, login: ownerOf(event.repository) } : event.account
  await saveGithubInstallation(db, { id: event.installationId, tenantId: tenant.id, account: account.login, accountId: account.id })
  await hintInstallation({ enqueue }, tenant, event.installationId, log)
  return (await findGithubInstallation(db, event.installationId))!
}

/**
 * Whether an installation may speak of a repository: its own, or one that nobody here has and whose owner is the account
 * that the installation is in. One that was transferred comes from another installation.
 */
function isOf(installation: GithubInstallation, repository: Repository | null, event: Exclude<GithubEvent, { kind: 'installation' | 'selection' }>): boolean {
  if (repository?.installationId === installation.id) return true
  const isHandedOver = event.kind === 'repository' && event.action === 'transferred'
  if (repository !== null && !isHandedOver) return false
  if (event.kind !== 'mention' && installation.accountId !== null) return event.account.id === installation.accountId
  return ownerOf(event.repository).toLowerCase() === installation.account.toLowerCase()
}

function refuse(event: GithubEvent, log: Logger): string {
  log.warn({ installation: event.installationId, kind: event.kind }, 'a delivery speaks of what does not belong to its installation; it is refused')
  return 'refused:not-yours'
}

async function notePush(parts: DeliverParts, tenant: TenantDb, repository: Repository, event: PushEvent, log: Logger): Promise<string> {
  if (!event.ref.startsWith('refs/heads/')) return 'ignored:tag'
  if (event.deleted) return 'ignored:deleted'
  const branch = event.ref.slice('refs/heads/'.length)
  // Either may be the newer one: the row is from the last sync, the delivery may be late.
  if (branch !== repository.defaultBranch && branch !== event.defaultBranch) return 'ignored:branch'
  if (repository.headSha !== event.sha) await updateRepository(tenant, repository.id, { headSha: event.sha })
  await hintSync(parts, tenant, repository.id, log)
  return 'queued:sync-repository'
}

/** A repository that is not known here: GitHub says whether the installation has it. */
async function askGithub(parts: DeliverParts, tenant: TenantDb, event: GithubEvent, log: Logger): Promise<string> {
  await hintInstallation(parts, tenant, event.installationId, log)
  return 'queued:sync-installation'
}

function ownerOf(repository: RepositoryEvent['repository']): string {
  return toOwnerAndRepo(repository).owner
}
