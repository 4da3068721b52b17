import { afterAll, beforeAll } from 'vitest'
import type { Db } from '#db/index.ts'
import { saveGithubInstallation } from '#db/shared/github-installations.ts'
import { accept, read } from '#db/shared/inbox.ts'
import { listRepositories } from '#db/tenant/repositories.ts'
import { openTestDb } from '#db/testing/open-test-db.ts'
import { createDeliveries } from '#server/github/run-delivery.ts'
import { createSweep } from '#server/github/sweep.ts'
import { openGithubRig } from '#server/testing/open-github-rig.ts'
import { githubDelivery } from './github-delivery.ts'
import { sweepGithub } from './sweep-github.ts'
import { syncInstallation } from './sync-installation.ts'
import { jobContract } from './testing/job-contract.ts'

let db: Db
beforeAll(async () => {
  db = await openTestDb()
})
afterAll(() => db.close())

/** An installation with one repository of which nobody here has heard. */
async function prepare() {
  const rig = await openGithubRig(db, { env: { GITHUB_SWEEP_INTERVAL: '0' } })
  const { fake, installation, tenant, github, queued } = rig
  fake.deliveries.auto = false
  await fake.addRepository({ installation, name: 'app' })
  await saveGithubInstallation(db, { id: installation.id, tenantId: tenant.id, account: 'acme', accountId: installation.account.id })
  const enqueue = async (name: string, payload: object) => void queued.push({ name, payload: payload as never, options: {} })
  const parts = { db, github, enqueue: enqueue as never, log: rig.server.parts.log }
  const picture = async () => (await listRepositories(tenant)).map(({ name, state }) => ({ name, state }))
  return { rig, parts, picture }
}

jobContract(syncInstallation, async () => {
  const { rig, parts, picture } = await prepare()
  return { payload: { tenantId: rig.tenant.id, installationId: rig.installation.id }, parts, picture, close: rig.close }
})

jobContract(sweepGithub, async () => {
  const { rig, parts, picture } = await prepare()
  return { payload: {}, parts: { sweepGithub: createSweep({ ...parts, tenant: rig.tenant.slug }) }, picture, close: rig.close }
})

jobContract(githubDelivery, async () => {
  const { rig, parts } = await prepare()
  const { installation, tenant } = rig
  const payload = { kind: 'installation', action: 'unsuspend', installationId: installation.id, account: { id: installation.account.id, login: 'acme' } }
  const { id: inboxId } = await accept(db, { tenantId: tenant.id, surface: 'github', kind: 'installation', eventKey: `github:${installation.id}`, threadKey: `github:${installation.id}`, payload })
  const runDelivery = createDeliveries({ ...parts, config: rig.github.config, answerMention: async () => 'answered' })
  const picture = async () => [(await read(db, inboxId))?.outcome, rig.queued.map(({ name }) => name)]
  return { payload: { inboxId }, parts: { runDelivery }, picture, close: rig.close }
})
