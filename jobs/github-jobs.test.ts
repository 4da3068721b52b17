import { afterAll, beforeAll } from 'vitest'
import type { Db } from '#db/index.ts'
import { saveGithubInstallation } from '#db/shared/github-installations.ts'
import { accept, read } from '#db/shared/inbox.ts'
import { listRepositories } from '#db/tenant/repositories.ts'
import { openTestDb } from '#db/testing/open-test-db.ts'
import { createDeliveries } from '#server/github/run-delivery.ts'
import { createSweep } from '#server/github/sweep.ts'
import { openGithubRig } from '#server/testing/open-github-rig.ts'
import { answerMention } from './answer-mention.ts'
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
  const prepared = await prepare()
  const { installation } = prepared.rig
  return prepareRow(prepared, { kind: 'installation', action: 'unsuspend', installationId: installation.id, account: { id: installation.account.id, login: 'acme' } })
})

jobContract(answerMention, async () => {
  const prepared = await prepare()
  const { installation } = prepared.rig
  const author = { id: 5, login: 'ada', type: 'User' }
  const place = { externalId: 1, repository: 'acme/shop', isPrivate: true, surface: 'issue', number: 1, commentId: 7, rootId: null, url: 'https://github.com/acme/shop/issues/1' }
  return prepareRow(prepared, { kind: 'mention', installationId: installation.id, ...place, author, body: '@nura why?' })
})

/** An accepted delivery and what there is to see of it. */
async function prepareRow({ rig, parts }: Awaited<ReturnType<typeof prepare>>, payload: { kind: string; installationId: number } & Record<string, unknown>) {
  const key = `github:${payload.installationId}`
  const { id: inboxId } = await accept(db, { tenantId: rig.tenant.id, surface: 'github', kind: payload.kind, eventKey: key, threadKey: key, payload })
  const runDelivery = createDeliveries({ ...parts, config: rig.github.config, answerMention: async () => 'answered' })
  const picture = async () => [(await read(db, inboxId))?.outcome, rig.queued.map(({ name }) => name)]
  return { payload: { inboxId }, parts: { runDelivery }, picture, close: rig.close }
}
