import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { exclusively } from '#db/shared/exclusive.ts'
import { readCorpus } from '#db/tenant/corpus.ts'
import { cancelSpaceChange, startSpaceChange } from '#db/tenant/next-space.ts'
import { writeFiles } from '#db/tenant/write-files.ts'
import { createTestRepository } from '#db/testing/create-repository.ts'
import { makeFile } from '#db/testing/make-file.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { changeSpace as change } from '#server/indexing/change-space.ts'
import { toSpaceKey } from '#server/indexing/space-key.ts'
import { createLog } from '#server/log.ts'
import { toEmbedders } from '#server/models/embedder.ts'
import type { Embedder } from '#server/models/embedder.ts'
import { lexicalEmbedder } from '#server/models/lexical.ts'
import { changeSpace } from './change-space.ts'
import { sweepSpaces } from './sweep-spaces.ts'
import { jobContract } from './testing/job-contract.ts'

let db: Db
beforeAll(async () => {
  db = await openTestDb()
})
afterAll(() => db.close())

const log = createLog({ level: 'silent', process: 'test' })
const context = { attempt: 1, lastAttempt: true, signal: new AbortController().signal }
const target: Embedder = { ...lexicalEmbedder, space: 'test:target' }
const toParts = (embedder: Embedder = target) => ({
  db,
  changeSpace: (tenant: TenantDb, options: { signal: AbortSignal }) => change({ embedderOf: toEmbedders([embedder]).of, log }, tenant, options),
})

async function openTenant(): Promise<TenantDb> {
  const tenant = await createTestTenant(db)
  await writeFiles(tenant, await createTestRepository(tenant), [makeFile('a.ts', ['alpha', 'beta'])])
  await startSpaceChange(tenant, target.space)
  return tenant
}

function hints() {
  const queued = new Set<string>()
  return { queued, enqueue: (async (name: string, payload: { tenantId: string }) => void queued.add(`${name} ${payload.tenantId}`)) as never }
}

jobContract(changeSpace, async () => {
  const tenant = await openTenant()
  return { payload: { tenantId: tenant.id }, parts: toParts(), picture: () => readCorpus(tenant) }
})

jobContract(sweepSpaces, async () => {
  const tenant = await openTenant()
  const { queued, enqueue } = hints()
  return { payload: {}, parts: { db, log, enqueue, embedders: toEmbedders([target]) }, picture: async () => [...queued].filter((hint) => hint.includes(tenant.id)) }
})

it('waits in the queue for a model that is away, and at the cost of no attempt', async () => {
  const tenant = await openTenant()
  const run = (error: NuraError) => changeSpace.run({ tenantId: tenant.id }, toParts({ ...target, embed: () => Promise.reject(error) }), context)
  await expect(run(new NuraError('model-away', 'away', { retryable: true }))).rejects.toMatchObject({ code: 'model-away', retryAt: expect.any(Date) })
  const retryAt = new Date(Date.now() + 3_600_000)
  await expect(run(new NuraError('model-resting', 'rests', { retryable: true, retryAt }))).rejects.toMatchObject({ retryAt })
  await expect(run(new NuraError('bad-model', 'no such model'))).rejects.toMatchObject({ retryAt: undefined })
  await changeSpace.run({ tenantId: tenant.id }, toParts(), context)
  expect(await readCorpus(tenant)).toMatchObject({ activeSpace: target.space, nextSpace: null })
})

it('hints at what is to be done and nobody does: with its embedder, or at something to clear away', async () => {
  const [tenant, other] = [await openTenant(), await openTenant()]
  const sweep = async (embedders: [Embedder] = [target]) => {
    const { queued, enqueue } = hints()
    await sweepSpaces.run({}, { db, log, enqueue, embedders: toEmbedders(embedders) }, context)
    return [tenant, other].map(({ id }) => queued.has(`change-space ${id}`))
  }
  expect(await sweep()).toEqual([true, true])
  expect(await sweep([lexicalEmbedder])).toEqual([false, false])
  await exclusively(db, toSpaceKey(tenant.id), async () => expect(await sweep()).toEqual([false, true]))
  await cancelSpaceChange(tenant)
  expect(await sweep([lexicalEmbedder])).toEqual([true, false])
  await changeSpace.run({ tenantId: tenant.id }, toParts(), context)
  expect(await sweep()).toEqual([false, true])
})
