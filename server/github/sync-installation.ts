import type { Db, TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { exclusively } from '#db/shared/exclusive.ts'
import { findGithubInstallation, saveGithubInstallation, setGithubInstallationState } from '#db/shared/github-installations.ts'
import type { GithubInstallation } from '#db/shared/github-installations.ts'
import { addRepository, listRepositories, moveRepositories, reviveRepository } from '#db/tenant/repositories.ts'
import type { NewRepository } from '#db/tenant/repositories.ts'
import { toSyncKey } from '../indexing/sync-key.ts'
import type { Logger } from '../log.ts'
import type { GithubApp } from './app.ts'
import { hintActivity, hintForget, hintSync } from './hints.ts'
import type { HintParts } from './hints.ts'
import { forgetAll } from './lifecycle.ts'
import { planRepositories } from './plan-repositories.ts'
import type { ListedRepository, RepositoryPlan } from './plan-repositories.ts'

export type InstallationParts = HintParts & { db: Db; github: Pick<GithubApp, 'asApp' | 'as'>; log: Logger }

/**
 * Makes the rows of an installation equal to what GitHub says of it: whether it is active, which repositories it has, what
 * they are called and who may see them. With nothing to change it writes nothing.
 *
 * @throws NuraError `sync-running` when another process does the same, and what GitHub's API throws
 */
export async function syncInstallation(parts: InstallationParts, tenant: TenantDb, installationId: number, signal: AbortSignal): Promise<void> {
  const known = await findGithubInstallation(parts.db, installationId)
  if (known?.tenantId !== tenant.id || known.state === 'deleted') return
  const ran = await exclusively(parts.db, `github installation ${installationId}`, async () => {
    if (await checkInstallation(parts, tenant, known, signal)) await syncRepositories(parts, tenant, installationId, signal)
  })
  if (!ran) throw new NuraError('sync-running', 'The installation is being read by another process.', { retryable: true })
}

/** Brings the installation's own row up to date. True when it is active. */
async function checkInstallation({ db, github, enqueue, log }: InstallationParts, tenant: TenantDb, known: GithubInstallation, signal: AbortSignal): Promise<boolean> {
  const { id } = known
  const found = await github.asApp().rest.apps.getInstallation({ installation_id: id, request: { signal } }).catch(nullIfGone)
  if (found === null) {
    await setGithubInstallationState(db, id, 'deleted')
    const rows = (await listRepositories(tenant)).filter(({ source, installationId }) => source === 'github' && installationId === id)
    await forgetAll({ enqueue }, tenant, rows, log)
    return false
  }
  const { account, suspended_at: suspendedAt } = found.data
  if (suspendedAt) {
    await setGithubInstallationState(db, id, 'suspended')
    return false
  }
  const login = toLogin(account) ?? known.account
  const accountId = account?.id ?? known.accountId
  const isSame = known.state === 'active' && known.account === login && known.accountId === accountId
  if (!isSame) await saveGithubInstallation(db, { id, tenantId: tenant.id, account: login, accountId })
  return true
}

async function syncRepositories(parts: InstallationParts, tenant: TenantDb, installationId: number, signal: AbortSignal): Promise<void> {
  const { log } = parts
  const listed = await listGithub(parts, installationId, signal)
  const plan = planRepositories(installationId, await listRepositories(tenant), listed.repositories, listed.isComplete)
  if (plan.forget.length > 0 && listed.pages > 1) await confirmGone(parts, installationId, plan, signal)
  if (plan.move.length + plan.aside.length > 0) await moveRepositories(tenant, plan.move, plan.aside)
  await forgetAll(parts, tenant, plan.forget.filter(({ state }) => state !== 'forgetting'), log)
  for (const repository of plan.add) await add(parts, tenant, repository)
  for (const id of plan.sync) await hintSync(parts, tenant, id, log)
  const { add: added, move, revive, forget } = plan
  if (added.length + move.length + revive.length > 0) log.info({ installation: installationId, added: added.length, moved: move.length, revived: revive.length, forgotten: forget.length }, 'repositories of an installation')
  await Promise.all(plan.revive.map((id) => reviveIdle(parts, tenant, id)))
}

type Listing = { repositories: ListedRepository[]; pages: number; isComplete: boolean }

/** Pages shift against each other while somebody adds and removes: what one listing lacks, a second one must lack too. */
async function confirmGone(parts: InstallationParts, installationId: number, plan: RepositoryPlan, signal: AbortSignal): Promise<void> {
  const again = await listGithub(parts, installationId, signal)
  const ids = new Set(again.repositories.map(({ id }) => id))
  plan.forget = again.isComplete ? plan.forget.filter(({ externalId }) => externalId == null || !ids.has(externalId)) : []
}

/** All pages, and whether they hold as many as each of them says that there are. */
async function listGithub({ github }: InstallationParts, installationId: number, signal: AbortSignal): Promise<Listing> {
  const octokit = github.as(installationId)
  const found = new Map<number, ListedRepository>()
  const totals = new Set<number>()
  let pages = 0
  for (;;) {
    const { data } = await octokit.rest.apps.listReposAccessibleToInstallation({ per_page: 100, page: ++pages, request: { signal } })
    totals.add(data.total_count)
    for (const { id, full_name: fullName, html_url: url, private: isPrivate, default_branch: branch } of data.repositories) {
      found.set(id, { id, fullName, url, isPrivate, defaultBranch: branch ?? null })
    }
    if (data.repositories.length < 100) break
  }
  return { repositories: [...found.values()], pages, isComplete: totals.size === 1 && totals.has(found.size) }
}

async function add(parts: InstallationParts, tenant: TenantDb, repository: NewRepository): Promise<void> {
  const { id } = await addRepository(tenant, repository)
  await hintSync(parts, tenant, id, parts.log)
  await hintActivity(parts, tenant, id, parts.log)
}

/** While its rows are being deleted nothing can be taken back: this is tried again, and then finds it gone. */
async function reviveIdle(parts: InstallationParts, tenant: TenantDb, id: string): Promise<void> {
  const isIdle = await exclusively(parts.db, toSyncKey(tenant.id, id), async () => void (await reviveRepository(tenant, id)))
  if (isIdle) return hintSync(parts, tenant, id, parts.log)
  await hintForget(parts, tenant, id, parts.log)
  throw new NuraError('forget-running', 'A repository that is listed again is still being forgotten.', { retryable: true })
}

/** Enterprises have a slug where people and organisations have a login. */
export function toLogin(account: object | null): string | undefined {
  const { login, slug } = (account ?? {}) as { login?: string; slug?: string }
  return login ?? slug
}

function nullIfGone(error: unknown): null {
  if (error instanceof NuraError && error.code === 'github-not-found') return null
  throw error
}
