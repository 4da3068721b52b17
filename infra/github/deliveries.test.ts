import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { FakePull } from '#server/testing/fake-github/fake-pull.ts'
import type { FakeRepository } from '#server/testing/fake-github/fake-repository.ts'
import { startGithubDeployment } from '../testing/start-github-deployment.ts'
import type { GithubDeployment } from '../testing/start-github-deployment.ts'
import { until } from '../testing/until.ts'

/** Whole processes start and are waited for here, on machines that do other things too. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

/** What GitHub delivers is checked, kept and carried out once, whatever happens to it on the way. */
let nura: GithubDeployment
let shop: FakeRepository

beforeAll(async () => {
  nura = await startGithubDeployment({
    model: true,
    env: { GITHUB_SWEEP_INTERVAL: '2' },
    tenants: { acme: 'acme' },
    async prepare(github) {
      const installation = await github.addInstallation({ account: 'acme' })
      shop = await github.addRepository({ installation, name: 'shop', private: true, files: { 'pay.ts': 'export function chargeCard() {}\n' } })
      shop.permit('ada', 'write')
    },
  })
  await nura.indexed('acme/shop', await head(), 'acme')
})
afterAll(() => nura?.close())
afterEach(() => {
  nura.github.clearFaults()
  nura.model!.fault = null
})

const head = () => shop.git('rev-parse', 'HEAD')
const pushEvent = async () => nura.github.event('push', await nura.github.payloads.push(shop, { ref: 'refs/heads/main', before: await head(), after: await head() }))
/** Lines of what was carried out, once the last of them is there: they come a moment after their rows are done. */
async function carriedOutByNow(): Promise<number> {
  for (let seen = -1; seen !== carriedOut(); await sleep(500)) seen = carriedOut()
  return carriedOut()
}
const carriedOut = () => nura.output().split('delivery carried out').length - 1
const ours = (thread: { comments: { user: { login: string }; body: string }[] }) => thread.comments.filter(({ user }) => user.login === 'nura[bot]')

/** Somebody asks in an issue of its own; the fake does not deliver it. */
async function ask(question: string) {
  const issue = await shop.openIssue({ title: 'A question', author: 'ada' })
  const comment = await issue.comment('ada', `@nura ${question}`)
  const event = nura.github.event('issue_comment', nura.github.payloads.issueComment('created', shop, issue, comment))
  return { issue, event }
}

test('the signature is over the bytes as they came', async () => {
  const payload = JSON.stringify(await nura.github.payloads.push(shop, { ref: 'refs/heads/main', before: await head(), after: await head() }))
  const text = `{"odd":[1.0,1e2,"\\u003cb\\u003e"],${payload.slice(1)}`
  const before = carriedOut()
  expect(await nura.deliver(nura.github.event('push', text))).toBe(202)
  await until('it to be carried out', () => carriedOut() === before + 1)
})

test('a delivery that is not signed as agreed is 401 or 413, and nothing of it is kept', async () => {
  await nura.settled()
  const before = await carriedOutByNow()
  // What failed would be asked for again by the sweep, and come whole then.
  nura.github.fail({ path: /\/app\/hook\/deliveries/ }, { kind: 'status', status: 503 }, 1_000)
  const good = await pushEvent()
  const changed = { ...good, rawBody: Buffer.from(good.rawBody.toString().replace('refs/heads/main', 'refs/heads/mail')) }
  expect(await nura.deliver(changed)).toBe(401)
  expect(await nura.deliver(good, { 'x-hub-signature-256': undefined })).toBe(401)
  expect(await nura.deliver(good, { 'x-hub-signature-256': good.headers['x-hub-signature'] })).toBe(401)
  expect(await nura.deliver(good, { 'x-hub-signature-256': `${good.headers['x-hub-signature-256']}0` })).toBe(401)
  expect(await nura.deliver(nura.github.event('push', good.payload, { secret: 'another secret' }))).toBe(401)
  expect(await nura.deliver(nura.github.event('push', good.payload, { secret: '' }))).toBe(401)
  expect(await nura.deliver(nura.github.event('push', { ...good.payload, padding: 'x'.repeat(26 * 1024 * 1024) }))).toBe(413)
  await nura.settled()
  expect(carriedOut()).toBe(before)
  // The same delivery, whole: its id was not used up.
  expect(await nura.deliver(good)).toBe(202)
  await until('the good one', () => carriedOut() === before + 1)
})

test('while GitHub and the model hang a delivery is taken; killed then and started again, it is answered once', async () => {
  const { issue, event } = await ask('what does chargeCard do?')
  nura.github.fail({ path: /./ }, { kind: 'hang' }, 1_000)
  nura.model!.fault = { kind: 'hang' }
  // Nothing ends the hanging, so that what answers does not wait for it.
  expect(await Promise.all([nura.deliver(event), nura.deliver(await pushEvent())])).toEqual([202, 202])
  await nura.kill()
  expect(ours(issue)).toEqual([])
  nura.github.clearFaults()
  nura.model!.fault = null
  await nura.start()
  await until('the answer', () => ours(issue).length > 0)
  await nura.settled()
  expect(ours(issue)).toHaveLength(1)
})

test('one delivery five times at once is one run and one answer', async () => {
  const { issue, event } = await ask('where is chargeCard defined?')
  const runs = nura.model!.requests.length
  expect(await Promise.all(Array.from({ length: 5 }, () => nura.deliver(event)))).toEqual([202, 202, 202, 202, 202])
  await until('the answer', () => ours(issue).length > 0)
  await nura.settled()
  expect(ours(issue)).toHaveLength(1)
  expect(nura.model!.requests.length - runs).toBe(1)
  expect(await nura.deliver(event)).toBe(202)
  await nura.settled()
  expect(ours(issue)).toHaveLength(1)
})

test('one that failed, and is delivered again, is carried out again', async () => {
  const { issue, event } = await ask('how is chargeCard called?')
  nura.model!.fault = { kind: 'status', status: 400 }
  expect(await nura.deliver(event)).toBe(202)
  const told = await until('the failure to be told', () => ours(issue)[0])
  expect(told.body).toMatch(/Ref [0-9A-F]{6}/)
  await nura.settled()
  nura.model!.fault = null
  expect(await nura.deliver(event)).toBe(202)
  await until('the answer', () => ours(issue).some(({ body }) => body.includes('pay.ts')))
  await nura.settled()
  expect(ours(issue)).toHaveLength(1)
})

test('a push whose delivery is lost is found by the sweep, and the next sweep writes nothing', async () => {
  nura.github.deliveries.dropNext()
  nura.github.deliveries.auto = true
  const sha = await shop.commit({ 'lost.ts': 'export function lostAndFound() {}\n' })
  nura.github.deliveries.auto = false
  await nura.indexed('acme/shop', sha, 'acme')
  expect((await nura.search('lostAndFound', { tenant: 'acme' }))[0]).toMatchObject({ path: 'lost.ts', sha })
  // The head is compared as well, so the index may be there before GitHub was asked to send again.
  const { log } = nura.github.deliveries
  const lost = log.findLast(({ event, status_code: status }) => event === 'push' && status === 502)!
  await until('the delivery to be sent again', () => log.some(({ guid, redelivery }) => guid === lost.guid && redelivery))
  await nura.settled()
  const [repository] = await nura.repositories('acme')
  const since = nura.github.calls.length
  await until('two more sweeps', () => nura.github.calls.slice(since).filter(({ path }) => path.includes('/hook/deliveries')).length > 2)
  const calls = nura.github.calls.slice(since)
  expect(calls.filter(({ method, path }) => method !== 'GET' && !path.includes('/access_tokens')).map(({ method, path }) => `${method} ${path}`)).toEqual([])
  expect((await nura.repositories('acme'))[0]).toEqual(repository)
})

test('a head that nobody told of is found too', async () => {
  const sha = await shop.commit({ 'untold.ts': 'export function neverDelivered() {}\n' })
  await nura.indexed('acme/shop', sha, 'acme')
})

test('late news of an older head is no news', async () => {
  const { event, payloads } = nura.github
  const pull: FakePull = await shop.openPull({ branch: 'late', files: { 'late.ts': 'export function first() {}\n' }, author: 'ada' })
  const early = event('pull_request', await payloads.pullRequest('synchronize', shop, pull))
  const sha = await pull.push({ 'late.ts': 'export function second() {}\n' })
  expect(await nura.deliver(event('pull_request', await payloads.pullRequest('synchronize', shop, pull)))).toBe(202)
  await until('the summary of the second head', () => ours(pull)[0]?.body.includes(sha.slice(0, 7)))
  const writes = () => nura.github.calls.filter(({ method, path }) => method !== 'GET' && path.includes('/comments')).length
  const before = writes()
  expect(await nura.deliver(early)).toBe(202)
  await nura.settled()
  expect(writes()).toBe(before)
  expect(ours(pull)[0]!.body).toContain(sha.slice(0, 7))
})

test('nothing was asked of GitHub that it does not offer', () => {
  expect(nura.github.unknown.map(({ method, path }) => `${method} ${path}`)).toEqual([])
})
