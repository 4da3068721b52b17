import { NuraError } from '#db/nura-error.ts'
import type { TenantDb } from '#db/index.ts'
import { exclusively } from '#db/shared/exclusive.ts'
import { findGithubInstallation, listGithubInstallations, saveGithubInstallation, takeDueInstallations } from '#db/shared/github-installations.ts'
import type { GithubInstallation } from '#db/shared/github-installations.ts'
import { ensureTenant } from '#db/shared/tenants.ts'
import { findWorkspaceTenant } from '#db/shared/workspaces.ts'
import type { GithubApp } from './app.ts'
import { hintInstallation } from './hints.ts'
import { redeliverFailed } from './redeliver.ts'
import { sweepRepositories } from './sweep-repositories.ts'
import { syncInstallation, toLogin } from './sync-installation.ts'
import type { InstallationParts } from './sync-installation.ts'

export type SweepParts = InstallationParts & {
  github: GithubApp
  /** Short name of the tenant that a configured `installationId` belongs to. */
  tenant: string
}

/** Installations that one round takes up; the next round is seconds away. */
const mostInstallations = 50

/**
 * Catches up with what no webhook told: deliveries that failed, installations and repositories that came, went or moved,
 * heads and pull requests that went on. Call it often: it finds out itself what is due, of several processes each takes
 * other installations, and where nothing was missed nothing is written.
 */
export function createSweep(parts: SweepParts): (signal: AbortSignal) => Promise<void> {
  const { config } = parts.github
  /** Of this process: when it last looked which installations there are, and which deliveries it asked for again. */
  let looked = -Infinity
  const asked = new Set<string>()

  return async function sweep(signal) {
    if (performance.now() - looked >= config.sweepIntervalMs) {
      looked = performance.now()
      await exclusively(parts.db, 'github installations', () => sweepInstallations(parts, signal)).catch((error: unknown) => report(parts, error, signal, {}))
    }
    const due = await takeDueInstallations(parts.db, { sweptBefore: new Date(Date.now() - config.sweepIntervalMs), limit: mostInstallations })
    if (due.length === 0) return
    await redeliverFailed(parts, due, asked, signal).catch((error: unknown) => report(parts, error, signal, {}))
    for (const installation of due) {
      await sweepOne(parts, installation, signal).catch((error: unknown) => report(parts, error, signal, { installation: installation.id }))
    }
  }
}

/** One that cannot be swept now is swept the next time; the others must not wait for it. */
function report({ log }: SweepParts, error: unknown, signal: AbortSignal, of: object): void {
  signal.throwIfAborted()
  const isExpected = error instanceof NuraError && (error.retryAt !== undefined || ['sync-running', 'forget-running', 'github-not-installed'].includes(error.code))
  log[isExpected ? 'info' : 'warn']({ err: error, ...of }, 'not swept this time')
}

async function sweepOne(parts: SweepParts, installation: GithubInstallation, signal: AbortSignal): Promise<void> {
  const tenant = await parts.db.tenant(installation.tenantId)
  await syncInstallation(parts, tenant, installation.id, signal)
  const now = await findGithubInstallation(parts.db, installation.id)
  if (now?.state === 'active') await sweepRepositories(parts, tenant, installation.id, signal)
}

/**
 * Holds the installations that GitHub lists against the rows: one that the operator bound beforehand gets its row, and one
 * that came back, was suspended or went is read anew.
 */
async function sweepInstallations(parts: SweepParts, signal: AbortSignal): Promise<void> {
  const { db, github, log } = parts
  const octokit = github.asApp()
  const listed = await octokit.paginate(octokit.rest.apps.listInstallations, { per_page: 100, request: { signal } })
  const known = new Map((await listGithubInstallations(db)).map((row) => [row.id, row]))
  for (const { id, account, suspended_at: suspendedAt } of listed) {
    const row = known.get(id)
    known.delete(id)
    if (row && (row.state === 'deleted' || (row.state === 'suspended') === Boolean(suspendedAt))) continue
    const tenant = row ? await db.tenant(row.tenantId) : await findTenant(parts, id)
    if (!tenant || (!row && suspendedAt)) continue
    if (!row) await saveGithubInstallation(db, { id, tenantId: tenant.id, account: toLogin(account) ?? '', accountId: account?.id ?? null })
    await hintInstallation(parts, tenant, id, log)
  }
  for (const row of known.values()) {
    if (row.state !== 'deleted') await hintInstallation(parts, await db.tenant(row.tenantId), row.id, log)
  }
}

async function findTenant({ db, github, tenant }: SweepParts, installationId: number): Promise<TenantDb | null> {
  const isConfigured = github.config.installationId === installationId
  const id = isConfigured ? (await ensureTenant(db, { slug: tenant, name: tenant })).id : await findWorkspaceTenant(db, { surface: 'github', id: String(installationId) })
  return id === null ? null : db.tenant(id)
}
