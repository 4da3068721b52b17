import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { exclusively } from '#db/shared/exclusive.ts'
import { saveGithubInstallation, setGithubInstallationState } from '#db/shared/github-installations.ts'
import { accept, unfinished } from '#db/shared/inbox.ts'
import { listOpenOffboardings, offboardTenant } from '#db/shared/offboard-tenant.ts'
import { saveAnswer } from '#db/tenant/answers.ts'
import { finishSync } from '#db/tenant/manifest.ts'
import { addRepository, findRepository, updateRepository } from '#db/tenant/repositories.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { createLog } from '#server/log.ts'
import { toSyncKey } from '#server/indexing/sync-key.ts'
import { createMetrics } from '#server/metrics.ts'
import { checkJobs } from './job-list.ts'
import { finishOffboarding } from './finish-offboarding.ts'
import { forgetRepository } from './forget-repository.ts'
import { jobs } from './index.ts'
import { purgeExpired } from './purge-expired.ts'
import { sweepInbox } from './sweep-inbox.ts'
import { sweepRepositories } from './sweep-repositories.ts'
import { syncRepository } from './sync-repository.ts'
import type { SyncParts } from './sync-repository.ts'
import { jobContract } from './testing/job-contract.ts'

let db: Db
beforeAll(async () => {
  db = await openTestDb()
})
afterAll(() => db.close())

const log = createLog({ level: 'silent', process: 'test' })
const sha = 'b'.repeat(40)
const newRepository = { name: 'acme/app', source: 'git' as const, location: '/nowhere' }

function syncParts(indexSource?: SyncParts['indexSource']): SyncParts {
  const finish: SyncParts['indexSource'] = async (tenant, { id }, _, { signal }) => {
    signal.throwIfAborted()
    await finishSync(tenant, id, sha, 'any')
  }
  return { db, log, enqueue: async () => undefined, metrics: createMetrics(), openSource: () => ({}) as never, indexSource: indexSource ?? finish }
}

const aged = { olderThanMs: -1_000, limit: 10_000 }
const minuteAgo = (table: string) => db.control((tx) => tx.query(`update ${table} set updated_at = now() - interval '1 minute'`))

/** A queue that remembers hints as the real one does: one for each key. */
function hints() {
  const queued = new Map<string, string>()
  return { queued, enqueue: async (name: string, _: object, options: { dedupe?: string } = {}) => void queued.set(`${name} ${options.dedupe}`, name) }
}

jobContract(syncRepository, async () => {
  const tenant = await createTestTenant(db)
  const { id } = await addRepository(tenant, newRepository)
  const picture = async () => {
    const found = await findRepository(tenant, id)
    return { state: found?.state, sha: found?.indexedSha, error: found?.error }
  }
  return { payload: { tenantId: tenant.id, repositoryId: id }, parts: syncParts(), picture }
})

jobContract(finishOffboarding, async () => {
  const tenant = await createTestTenant(db)
  // The run that began it ended before the cache was dropped.
  await offboardTenant(db, tenant.id, { dropElsewhere: () => Promise.reject(new Error('the process ended here')) }).catch(() => undefined)
  const dropped: string[] = []
  const dropCached = async (id: string) => dropped.push(id)
  return { payload: {}, parts: { db, log, dropCached }, picture: async () => ({ open: await listOpenOffboardings(db), dropped: [...dropped] }) }
})

jobContract(forgetRepository, async () => {
  const tenant = await createTestTenant(db)
  const { id } = await addRepository(tenant, newRepository)
  await updateRepository(tenant, id, { state: 'forgetting' })
  return { payload: { tenantId: tenant.id, repositoryId: id }, parts: { db }, picture: async () => (await findRepository(tenant, id))?.state ?? 'gone' }
})

jobContract(sweepInbox, async () => {
  const tenant = await createTestTenant(db)
  await accept(db, { tenantId: tenant.id, surface: 'slack', kind: 'message', eventKey: `sweep:${tenant.id}`, threadKey: 't', payload: {} })
  await minuteAgo('inbox')
  const { queued, enqueue } = hints()
  return { payload: {}, parts: { db, log, enqueue: enqueue as never }, picture: async () => [...queued.keys()].toSorted() }
})

jobContract(sweepRepositories, async () => {
  const tenant = await createTestTenant(db)
  const { id } = await addRepository(tenant, newRepository)
  const { queued, enqueue } = hints()
  return { payload: {}, parts: { db, log, enqueue: enqueue as never }, picture: async () => [...queued.keys()].filter((key) => key.includes(id)) }
})

jobContract(purgeExpired, async () => {
  const tenant = await createTestTenant(db)
  await saveAnswer(tenant, { asker: 'a', question: 'q', agent: 'dev', markdown: 'm', abstained: false, citations: [], trace: {}, usage: {}, thread: null, citedChunks: [] })
  await tenant.transaction((tx) => tx.query(`update answer set expires_at = now() - interval '1 second'`))
  const picture = () => tenant.transaction((tx) => tx.query('select count(*)::int as answers from answer'))
  return { payload: {}, parts: { db, log }, picture }
})

describe('the list of jobs', () => {
  it('can be run', () => expect(() => checkJobs(jobs)).not.toThrow())

  it('is refused with a duplicate, or with a job that has nothing to run', () => {
    expect(() => checkJobs([...jobs, syncRepository])).toThrow('"sync-repository" is listed twice')
    expect(() => checkJobs([{ ...syncRepository, run: undefined as never }])).toThrow('"sync-repository" has no run')
    expect(() => checkJobs([undefined as never])).toThrow('entry 1 has no usable name')
  })
})

describe('sync-repository', () => {
  let tenant: TenantDb
  let id: string
  const context = { attempt: 1, lastAttempt: false, signal: new AbortController().signal }
  const run = (indexSource: SyncParts['indexSource'], change: Partial<typeof context> = {}) =>
    syncRepository.run({ tenantId: tenant.id, repositoryId: id }, syncParts(indexSource), { ...context, ...change })
  const state = async () => {
    const found = await findRepository(tenant, id)
    return [found?.state, found?.error ?? null]
  }
  beforeAll(async () => {
    tenant = await createTestTenant(db)
    id = (await addRepository(tenant, newRepository)).id
  })

  it('writes what the owner must repair where they look, and does not run it again', async () => {
    await run(() => Promise.reject(new NuraError('not-a-repository', 'That folder is no git checkout.')))
    expect(await state()).toEqual(['failed', expect.stringContaining('That folder is no git checkout.')])
  })

  it('leaves what may pass to the next attempt, and gives up after the last', async () => {
    const away = () => Promise.reject(new NuraError('store-unavailable', 'away', { retryable: true }))
    await expect(run(away)).rejects.toMatchObject({ code: 'store-unavailable' })
    expect((await state())[0]).toBe('indexing')
    await expect(run(away, { lastAttempt: true })).rejects.toMatchObject({ code: 'store-unavailable' })
    expect((await state())[0]).toBe('failed')
  })

  it('is ready again, without its old error, when a later sync works', async () => {
    await run(async () => undefined)
    expect(await state()).toEqual(['ready', null])
  })

  it('runs once at a time for each repository', async () => {
    const gate = Promise.withResolvers<void>()
    const first = run(() => gate.promise)
    await expect.poll(async () => (await state())[0]).toBe('indexing')
    await expect(run(async () => undefined)).rejects.toMatchObject({ code: 'sync-running', retryable: true })
    gate.resolve()
    await first
    expect(await exclusively(db, toSyncKey(tenant.id, id), async () => undefined)).toBe(true)
  })

  it('reads nothing for a payload that mixes two tenants', async () => {
    const other = await createTestTenant(db)
    const payload = { tenantId: other.id, repositoryId: id }
    const indexed = syncParts(() => Promise.reject(new Error('must not be read')))
    await expect(syncRepository.run(payload, indexed, context)).rejects.toMatchObject({ code: 'unknown-repository', retryable: false })
  })
})

describe('sync-repository of a repository on GitHub', () => {
  const context = { attempt: 1, lastAttempt: true, signal: new AbortController().signal }
  let tenant: TenantDb
  let id: string
  let installation = 9_000
  beforeEach(async () => {
    tenant = await createTestTenant(db)
    await saveGithubInstallation(db, { id: ++installation, tenantId: tenant.id, account: 'acme', accountId: null })
    id = (await addRepository(tenant, { name: 'acme/app', source: 'github', location: 'acme/app', externalId: installation, installationId: installation })).id
  })
  const run = async (indexSource: SyncParts['indexSource']) => {
    const queued: [string, object][] = []
    const enqueue = async (name: string, payload: object) => void queued.push([name, payload])
    await syncRepository.run({ tenantId: tenant.id, repositoryId: id }, { ...syncParts(indexSource), enqueue: enqueue as never }, context)
    return queued
  }
  const state = async () => (await findRepository(tenant, id))?.state

  it('reads nothing while its installation is suspended', async () => {
    await setGithubInstallationState(db, installation, 'suspended')
    await run(() => Promise.reject(new Error('must not be read')))
    expect(await state()).toBe('new')
  })

  it('has failed in nothing when GitHub puts it off', async () => {
    const later = new NuraError('github-rate-limited', 'later', { retryable: true, retryAt: new Date(Date.now() + 60_000) })
    await expect(run(() => Promise.reject(later))).rejects.toBe(later)
    expect(await state()).toBe('indexing')
  })

  it('that moved or went under the run stays as it was, and GitHub is asked', async () => {
    await finishSync(tenant, id, sha, 'any')
    for (const code of ['repository-moved', 'repository-gone', 'github-not-installed']) {
      expect(await run(() => Promise.reject(new NuraError(code, 'Gone.')))).toEqual([['sync-installation', { tenantId: tenant.id, installationId: installation }]])
      expect(await state()).toBe('ready')
    }
  })

  it('is not brought back by a run that began before it was to be forgotten', async () => {
    await run(async () => void (await updateRepository(tenant, id, { state: 'forgetting' })))
    expect(await state()).toBe('forgetting')
  })
})

describe('forget-repository', () => {
  it('forgets nothing that nobody asked to forget', async () => {
    const tenant = await createTestTenant(db)
    const { id } = await addRepository(tenant, newRepository)
    await forgetRepository.run({ tenantId: tenant.id, repositoryId: id }, { db }, { attempt: 1, lastAttempt: true, signal: new AbortController().signal })
    expect((await findRepository(tenant, id))?.state).toBe('new')
  })
})

describe('sweep-inbox', () => {
  it('leaves alone what is young or done', async () => {
    const tenant = await createTestTenant(db)
    const { id } = await accept(db, { tenantId: tenant.id, surface: 'slack', kind: 'message', eventKey: `young:${tenant.id}`, threadKey: 't', payload: {} })
    const { queued, enqueue } = hints()
    await sweepInbox.run({}, { db, log, enqueue: enqueue as never }, { attempt: 1, lastAttempt: true, signal: new AbortController().signal })
    expect([...queued.keys()].some((key) => key.includes(id))).toBe(false)
    expect((await unfinished(db, aged)).some((row) => row.id === id)).toBe(true)
  })
})
