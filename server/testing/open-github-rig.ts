import type { Db, TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { setGithubInstallationState } from '#db/shared/github-installations.ts'
import { findByKey } from '#db/shared/inbox.ts'
import type { InboxRow } from '#db/shared/inbox.ts'
import { connectWorkspace } from '#db/shared/workspaces.ts'
import { listRepositories } from '#db/tenant/repositories.ts'
import { createTestTenant } from '#db/testing/open-test-db.ts'
import { forgetRepository } from '#jobs/forget-repository.ts'
import { readActivityOf } from '../github/activity/sync-activity.ts'
import { createGithubApp } from '../github/app.ts'
import type { GithubApp } from '../github/app.ts'
import { readGithubConfig } from '../github/config.ts'
import type { MentionRun } from '../github/mention.ts'
import { createDeliveries } from '../github/run-delivery.ts'
import { createSweep } from '../github/sweep.ts'
import { syncInstallation } from '../github/sync-installation.ts'
import { createWebhook } from '../github/webhook.ts'
import { startFakeGithub } from './fake-github/start-fake-github.ts'
import type { FakeGithub } from './fake-github/start-fake-github.ts'
import type { Installation } from './fake-github/world.ts'
import { openTestServer } from './open-test-server.ts'
import type { TestServer } from './open-test-server.ts'

type Queued = { name: string; payload: never; options: { delayMs?: number; dedupe?: string } }

/** GitHub over loopback in front of a server that takes its webhooks, on a real database; the jobs run when the test says so. */
export type GithubRig = {
  fake: FakeGithub
  /** The App in the account `acme`. Nothing was delivered of it yet. */
  installation: Installation
  github: GithubApp
  tenant: TenantDb
  server: TestServer
  hookUrl: string
  /** Jobs that wait, oldest first. */
  queued: Queued[]
  /** Mentions that were to be answered; what the last one does is the test's to say. */
  mentions: MentionRun[]
  answerMention: (tenant: TenantDb, turn: MentionRun) => Promise<string>
  /** Runs deliveries, and the jobs that read installations and activity and forget repositories, until none of them waits. Others stay. */
  settle(): Promise<void>
  sweep(): Promise<void>
  /** The row of a delivery. */
  rowOf(guid: string): Promise<InboxRow | null>
  /** What the tenant has, in order of name, by what GitHub decides. */
  repositories(): Promise<{ name: string; externalId: number | null; state: string; isPublic: boolean }[]>
  close(): Promise<void>
}

type RigOptions = {
  /** Activity is read too; without it the jobs for that are dropped. */
  activity?: boolean
  env?: Record<string, string>
  /** Who says whose the first installation is. */
  owner?: 'operator' | 'configuration' | 'nobody'
}

export async function openGithubRig(db: Db, { env = {}, owner = 'operator', activity = false }: RigOptions = {}): Promise<GithubRig> {
  const fake = await startFakeGithub()
  const tenant = await createTestTenant(db)
  const installation = await fake.addInstallation({ account: 'acme', accountType: 'Organization' })
  if (owner === 'operator') await connectWorkspace(db, tenant.id, { surface: 'github', id: String(installation.id) })
  const config = readGithubConfig({ ...fake.env(), ...env, ...(owner === 'configuration' ? { GITHUB_INSTALLATION_ID: String(installation.id) } : {}) })!
  const queued: Queued[] = []
  const enqueue = async (name: string, payload: object, options: Queued['options'] = {}) => {
    if (name === 'sync-activity' && !activity) return
    const isWaiting = options.dedupe !== undefined && queued.some((job) => job.name === name && job.options.dedupe === options.dedupe)
    if (!isWaiting) queued.push({ name, payload: payload as never, options })
  }
  const server = await openTestServer(db, { enqueue: enqueue as never })
  const { log } = server.parts
  const github = createGithubApp(config, { db, log })
  const parts = { db, github, enqueue: enqueue as never, log, tenant: tenant.slug }
  server.parts.takeDelivery = createWebhook(parts)
  const rig: GithubRig = {
    fake,
    installation,
    github,
    tenant,
    server,
    hookUrl: `${server.url}/github/webhooks`,
    queued,
    mentions: [],
    answerMention: async () => 'answered',
    async settle() {
      const context = { attempt: 1, lastAttempt: false, signal: new AbortController().signal }
      for (let at = 0, ran = 0; at < queued.length; ) {
        const { name, payload } = queued[at]!
        const run = runs[name]
        if (!run) {
          at++
          continue
        }
        if (++ran > 300) throw new Error(`the jobs do not come to rest: ${queued.map((job) => job.name).join(', ')}`)
        const [job] = queued.splice(at, 1)
        await run(payload, context).catch((error: unknown) => {
          if (!(error instanceof NuraError) || !error.retryable) throw error
          if (!error.retryAt) queued.push(job!)
        })
        at = 0
      }
    },
    sweep: () => sweep(new AbortController().signal),
    rowOf: (guid) => findByKey(db, `github:${guid}`),
    async repositories() {
      const rows = (await listRepositories(tenant)).filter(({ source }) => source === 'github')
      return rows.map(({ name, externalId, state, isPublic }) => ({ name, externalId: externalId ?? null, state, isPublic }))
    },
    async close() {
      // Another GitHub on the same database would find them missing.
      for (const { id } of fake.world.installations.values()) await setGithubInstallationState(db, id, 'deleted')
      await server.close()
      await fake.close()
    },
  }
  const deliver = createDeliveries({
    ...parts,
    config,
    answerMention(of, turn) {
      rig.mentions.push(turn)
      return rig.answerMention(of, turn)
    },
  })
  const sweep = createSweep(parts)
  type Context = { attempt: number; lastAttempt: boolean; signal: AbortSignal }
  const runs: Record<string, (payload: never, context: Context) => Promise<void>> = {
    'answer-mention': ({ inboxId }: { inboxId: string }, context) => deliver(inboxId, context),
    'github-delivery': ({ inboxId }: { inboxId: string }, context) => deliver(inboxId, context),
    'sync-installation': async ({ tenantId, installationId }: { tenantId: string; installationId: number }, { signal }) => syncInstallation(parts, await db.tenant(tenantId), installationId, signal),
    'sync-activity': async ({ tenantId, repositoryId }: { tenantId: string; repositoryId: string }, { signal }) => readActivityOf(parts, await db.tenant(tenantId), repositoryId, signal),
    'forget-repository': (payload, context) => forgetRepository.run(payload, { db }, context),
  }
  fake.deliveries.hookUrl = rig.hookUrl
  fake.deliveries.auto = true
  return rig
}
