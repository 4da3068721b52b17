import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import {
  blockGithubInstallation, findGithubInstallation, listGithubInstallations, saveGithubInstallation, setGithubInstallationState, takeDueInstallations,
} from './github-installations.ts'
import { findGithubPerson, linkGithubPerson, unlinkGithubPerson } from './github-people.ts'
import { issueGithubState, useGithubState } from './github-states.ts'

let db: Db
let [ours, theirs]: TenantDb[] = []
beforeAll(async () => {
  db = await openTestDb()
  ours = await createTestTenant(db)
  theirs = await createTestTenant(db)
})
afterAll(() => db.close())

test('an installation belongs to one tenant, comes and goes, and comes back', async () => {
  const installation = { id: 5_000_000_001, tenantId: ours!.id, account: 'acme', accountId: 77 }
  await saveGithubInstallation(db, installation)
  expect(await findGithubInstallation(db, 5_000_000_001)).toEqual({ ...installation, state: 'active', blockedUntil: null, sweptAt: null })
  await expect(saveGithubInstallation(db, { ...installation, tenantId: theirs!.id })).rejects.toMatchObject({ code: 'connected-elsewhere' })
  await setGithubInstallationState(db, 5_000_000_001, 'deleted')
  expect((await listGithubInstallations(db, ours!.id)).map(({ state }) => state)).toEqual(['deleted'])
  await saveGithubInstallation(db, { ...installation, account: 'acme-inc', accountId: null })
  expect(await findGithubInstallation(db, 5_000_000_001)).toMatchObject({ state: 'active', account: 'acme-inc', accountId: 77 })
  expect(await listGithubInstallations(db, theirs!.id)).toEqual([])
})

test('a block is only ever prolonged', async () => {
  await saveGithubInstallation(db, { id: 2, tenantId: ours!.id, account: 'two', accountId: null })
  const [soon, later] = [new Date('2030-01-01T00:00:00Z'), new Date('2030-01-02T00:00:00Z')]
  for (const until of [later, soon]) await blockGithubInstallation(db, 2, until)
  expect((await findGithubInstallation(db, 2))!.blockedUntil).toEqual(later)
})

test('of many sweepers each gets other installations, and none that was swept or sleeps', async () => {
  for (const id of [11, 12, 13, 14]) await saveGithubInstallation(db, { id, tenantId: theirs!.id, account: `a${id}`, accountId: null })
  await setGithubInstallationState(db, 14, 'suspended')
  const sweptBefore = new Date(Date.now() - 1_000)
  const taken = (await Promise.all(Array.from({ length: 4 }, () => takeDueInstallations(db, { sweptBefore, limit: 1 })))).flat()
  const rest = await takeDueInstallations(db, { sweptBefore, limit: 100 })
  const ids = [...taken, ...rest].map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids).toEqual(expect.arrayContaining([11, 12, 13]))
  expect(ids).not.toContain(14)
  expect(await takeDueInstallations(db, { sweptBefore, limit: 100 })).toEqual([])
  expect([...taken, ...rest].every(({ sweptAt }) => sweptAt === null)).toBe(true)
  const before = (await findGithubInstallation(db, 11))!.sweptAt
  const [again] = (await takeDueInstallations(db, { sweptBefore: new Date(Date.now() + 60_000), limit: 100 })).filter(({ id }) => id === 11)
  expect(again!.sweptAt).toEqual(before)
})

test('a state is used once, in time', async () => {
  const state = { tenantId: ours!.id, purpose: 'person' as const, reader: 'slack:T1:U1' }
  const [now, later] = [new Date(), new Date(Date.now() + 60_000)]
  await issueGithubState(db, { id: 'one', ...state, expiresAt: later })
  const used = await Promise.all(Array.from({ length: 5 }, () => useGithubState(db, 'one', now)))
  expect(used.filter((each) => each !== null)).toEqual([state])
  await issueGithubState(db, { id: 'two', ...state, expiresAt: later })
  expect(await useGithubState(db, 'two', new Date(later.getTime() + 1))).toBeNull()
})

test('a person has one account, which can be unlinked', async () => {
  const who = { tenantId: ours!.id, reader: 'slack:T1:U2' }
  await linkGithubPerson(db, { ...who, githubId: 1, login: 'ada' })
  await linkGithubPerson(db, { ...who, githubId: 9_000_000_000, login: 'lovelace' })
  expect(await findGithubPerson(db, ours!.id, who.reader)).toEqual({ githubId: 9_000_000_000, login: 'lovelace' })
  expect(await findGithubPerson(db, theirs!.id, who.reader)).toBeNull()
  expect([await unlinkGithubPerson(db, ours!.id, who.reader), await unlinkGithubPerson(db, ours!.id, who.reader)]).toEqual([true, false])
})
