import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { createTestRepository, testSpace } from '../testing/create-repository.ts'
import { makeFile, makeVector } from '../testing/make-file.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { grantSource, grantedSources, listGrants, revokeSource } from './grants.ts'
import { StoredChunk } from './stored-chunk.ts'
import { addRepository, findRepository, listRepositories, moveRepositories, removeRepository, reviveRepository, updateRepository } from './repositories.ts'
import { writeFiles } from './write-files.ts'

let db: Db
let tenant: TenantDb
beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
})
afterAll(() => db.close())

const unknown = '00000000-0000-4000-8000-000000000000'

describe('repositories', () => {
  test('one is found by id and by name, changed, listed and removed with all that was indexed of it', async () => {
    const added = await addRepository(tenant, { name: 'acme/shop', source: 'git', location: '/srv/shop', url: 'https://example.com/acme/shop' })
    expect(added).toMatchObject({ name: 'acme/shop', audience: 'tenant', isPublic: false, state: 'new', indexedSha: null, defaultBranch: null })
    expect(await findRepository(tenant, added.id)).toEqual(added)
    expect(await findRepository(tenant, 'acme/shop')).toEqual(added)
    expect(await findRepository(tenant, 'acme')).toBeNull()
    const changed = await updateRepository(tenant, added.id, { state: 'failed', error: 'gone', defaultBranch: 'main' })
    expect(changed).toEqual({ ...added, state: 'failed', error: 'gone', defaultBranch: 'main' })
    const told = await updateRepository(tenant, added.id, { externalId: 2 ** 40, installationId: 7, settings: { index: ['src/**'] }, contentType: 'business', place: 'SPACE', lookedAt: new Date('2026-01-02T03:04:05.678Z'), indexedAt: new Date(), headSha: 'h' })
    expect(await listRepositories(tenant)).toEqual([told])
    await writeFiles(tenant, { repositoryId: added.id, sha: 's', space: testSpace, chunkerVersion: 1 }, [makeFile('a.ts', ['x', 'y'])])
    await removeRepository(tenant, added.id)
    await removeRepository(tenant, added.id)
    const left = await tenant.transaction((tx) => tx.query(`select (select count(*)::int from knowledge_base) as chunks, (select count(*)::int from file) as files, (select count(*)::int from term) as terms`))
    expect(left).toEqual([{ chunks: 0, files: 0, terms: 0 }])
  })

  test('what is being forgotten stays so, whatever a sync makes of it, until somebody takes that back', async () => {
    const { id } = await addRepository(tenant, { name: 'acme/going', source: 'git', location: '/srv/going' })
    expect(await reviveRepository(tenant, id)).toBe(false)
    await updateRepository(tenant, id, { state: 'forgetting' })
    expect(await updateRepository(tenant, id, { state: 'ready', error: 'late' })).toMatchObject({ state: 'forgetting', error: 'late' })
    expect([await reviveRepository(tenant, id), (await findRepository(tenant, id))?.state]).toEqual([true, 'new'])
    await removeRepository(tenant, id)
    expect(await reviveRepository(tenant, id)).toBe(false)
  })

  test('two change names with each other, and take one from a third', async () => {
    const rest = { url: null, isPublic: true, installationId: 1 }
    const [one, two, three] = await Promise.all(['acme/one', 'acme/two', 'acme/three'].map((name) => addRepository(tenant, { name, source: 'github', location: name })))
    await moveRepositories(tenant, [{ id: one!.id, name: 'acme/two', location: 'acme/two', ...rest }, { id: two!.id, name: 'acme/three', location: 'acme/three', ...rest }], [three!.id])
    const names = await Promise.all([one, two, three].map(async (each) => (await findRepository(tenant, each!.id))?.name))
    expect(names).toEqual(['acme/two', 'acme/three', three!.id])
    expect(await findRepository(tenant, one!.id)).toMatchObject({ location: 'acme/two', isPublic: true, installationId: 1 })
    for (const each of [one, two, three]) await removeRepository(tenant, each!.id)
  })

  test('a name is connected once, also when many connect it together', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 4 }, () => addRepository(tenant, { name: 'acme/twice', source: 'git', location: '/x' })))
    expect(tries.map((tried) => (tried.status === 'fulfilled' ? 'added' : tried.reason.code)).sort()).toEqual(['added', ...Array(3).fill('repository-exists')])
    await expect(updateRepository(tenant, unknown, { state: 'ready' })).rejects.toMatchObject({ code: 'unknown-repository' })
  })

  test('a chunk read as an entity carries its vector on demand', async () => {
    const context = await createTestRepository(tenant)
    await writeFiles(tenant, context, [makeFile('entity.ts', ['as an entity'])])
    await tenant.transaction(async ({ em }) => {
      const plain = await em.findOneOrFail(StoredChunk, { sourcePath: 'entity.ts' })
      expect(plain).toMatchObject({ content: 'as an entity', embeddingModel: testSpace, scope: [], goneAt: null })
      expect(plain.embedding).toBeUndefined()
      const whole = await em.findOneOrFail(StoredChunk, { sourcePath: 'entity.ts' }, { populate: ['embedding'] })
      expect(whole.embedding).toHaveLength(1024)
      expect(whole.embedding[5]).toBeCloseTo(makeVector('as an entity')[5]!, 6)
    })
  })
})

describe('grants', () => {
  test('are given, listed, read by their reader alone, and taken back', async () => {
    const own = await createTestTenant(db)
    const granted = (await addRepository(own, { name: 'acme/closed', source: 'git', location: '/x', audience: 'granted' })).id
    const channel = { kind: 'channel' as const, id: 'slack:T1:C1' }
    const person = { kind: 'person' as const, id: 'slack:T1:C1' }
    await grantSource(own, granted, channel)
    await grantSource(own, granted, channel)
    expect(await grantedSources(own, channel)).toEqual([granted])
    expect(await grantedSources(own, person)).toEqual([])
    expect(await listGrants(own, granted)).toEqual([channel])
    await revokeSource(own, granted, channel)
    expect(await grantedSources(own, channel)).toEqual([])
    await expect(grantSource(own, unknown, person)).rejects.toMatchObject({ code: 'unknown-repository' })
  })
})
