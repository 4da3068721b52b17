import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRepository, type TestRepository } from '#server/testing/create-repository.ts'
import type { Thread } from '#server/testing/fake-github/world.ts'
import { askSurfaces } from './ask-surfaces.ts'
import type { History } from './read-history.ts'
import { openReplay } from './replay.ts'
import type { Replay } from './replay.ts'

const at = (time: string) => Date.parse(time) / 1000
let repository: TestRepository
let replay: Replay

beforeAll(async () => {
  repository = await createRepository({ 'a.c': '1' })
  const commits: string[] = []
  for (let change = 1; change <= 30; change++) {
    await repository.write({ 'a.c': String(change + 1) })
    commits.push(await repository.commit(`Change ${change}`))
  }
  // One a day from the first of January, merged two days later.
  const day = (number: number) => at('2020-01-01T12:00:00Z') + (number - 1) * 86_400
  const pulls = commits.map((sha, index) => ({
    number: index + 1, repository: 'shop', title: `Change ${index + 1}`, author: 'ada', labels: ['win'], commits: [sha],
    openedAt: day(index + 1), mergedAt: day(index + 3), reviews: [{ author: 'grace', at: day(index + 2) }],
  }))
  const history: History = { pulls, issues: [{ number: 99, repository: 'shop', title: 'A wish', labels: ['bug'], openedAt: day(2), closedAt: day(20) }], releases: [{ repository: 'shop', tag: 'v1', publishedAt: day(12) }] }
  replay = await openReplay(repository.dir, history, { repositories: [{ name: 'shop' }], teams: { core: ['ada', 'grace'] } })
})
afterAll(async () => {
  await replay.close()
  await repository[Symbol.asyncDispose]()
})

const threads = () => [...replay.rig.fake.world.findRepository('acme/shop')!.threads.values()]
const states = (of: Thread[]) => [...Map.groupBy(of, ({ state }) => state)].map(([state, all]) => `${all.length} ${state}`).sort()

test('GitHub is at a moment as it was, and tells it once the repositories are connected', async () => {
  await replay.moveTo(new Date('2020-01-10T18:00:00Z'))
  expect(states(threads())).toEqual(['3 open', '8 closed'])
  expect(threads().find(({ number }) => number === 8)).toMatchObject({ createdAt: '2020-01-08T12:00:00Z', updatedAt: '2020-01-10T12:00:00Z', closedAt: '2020-01-10T12:00:00Z', pull: { mergedAt: '2020-01-10T12:00:00Z' } })
  expect(threads().find(({ number }) => number === 10)).toMatchObject({ updatedAt: '2020-01-10T12:00:00Z', closedAt: null, pull: { mergedAt: null }, labels: [{ name: 'win' }] })
  expect((await replay.rig.repositories()).map(({ name }) => name)).toEqual(['acme/shop'])
  expect(replay.rig.fake.deliveries.log.map(({ event }) => event)).toEqual(['installation'])
})

test('what happens later is told by webhooks: in any order, some twice, some never', async () => {
  const before = replay.rig.fake.deliveries.log.length
  await replay.moveTo(new Date('2020-01-25T00:00:00Z'))
  expect(states(threads())).toEqual(['2 open', '23 closed'])
  const { fates } = replay
  const told = replay.rig.fake.deliveries.log.slice(before)
  // 14 were opened, 14 reviewed, 14 merged, one issue closed, one version released.
  expect(fates.delivered + fates.doubled + fates.late + fates.dropped).toBe(44)
  expect(Math.min(fates.doubled, fates.late, fates.dropped)).toBeGreaterThan(0)
  expect(told).toHaveLength(fates.delivered + 2 * fates.doubled + fates.late)
  expect(told.every(({ status_code: status }) => status === 202)).toBe(true)
  const opened = told.filter(({ action }) => action === 'opened').map(({ request }) => (request.payload as { number: number }).number)
  expect(opened).not.toEqual(opened.toSorted((a, b) => a - b))
})

test('Nura knows all of it, whatever was lost', async () => {
  const read = <Row>(sql: string) => replay.rig.tenant.transaction((tx) => tx.query<Row>(sql))
  expect(await read('select state, count(*)::int as count from activity_pull group by 1 order by 1')).toEqual([{ state: 'closed', count: 22 }, { state: 'open', count: 2 }])
  expect(await read('select count(*)::int as count from activity_review')).toEqual([{ count: 23 }])
  expect(await read('select state from activity_issue')).toEqual([{ state: 'closed' }])
  expect(await read('select tag from activity_release')).toEqual([{ tag: 'v1' }])
  expect(await read('select member from activity_team order by 1')).toEqual([{ member: 'ada' }, { member: 'grace' }])
})

test('a question is asked with the rights of somebody in the tenant, and all surfaces hear the same', async () => {
  const { slack, teams, terminal } = await askSurfaces(replay.fetchAs, 'Where is the payment gateway?', 'Europe/Berlin', '1')
  expect(slack.error).toBeNull()
  expect(slack.text).not.toBe('')
  expect([teams, terminal]).toEqual([slack, slack])
})
