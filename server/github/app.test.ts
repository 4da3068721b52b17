import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { TenantDb } from '#db/index.ts'
import { findGithubInstallation, setGithubInstallationState } from '#db/shared/github-installations.ts'
import { createTestTenant } from '#db/testing/open-test-db.ts'
import { openTestGithub } from '../testing/open-test-github.ts'
import type { TestGithub } from '../testing/open-test-github.ts'
import { githubStatusOf } from './api-error.ts'
import type { GithubApp } from './app.ts'

let setup: TestGithub
let tenant: TenantDb
beforeAll(async () => {
  setup = await openTestGithub()
  tenant = await createTestTenant(setup.db)
})
afterAll(() => setup.close())
afterEach(() => setup.github.clearFaults())

const begin = Date.now()

/** An installation with one repository of one issue, and the App with a clock that stands until it is moved. */
async function open(options: { env?: Record<string, string>; timeoutMs?: number } = {}) {
  const { installation } = await setup.install({ tenant })
  const repository = await setup.github.addRepository({ installation, name: 'shop', private: true, files: { 'a.ts': 'a' } })
  const issue = await repository.openIssue({ author: 'ann' })
  let time = begin
  const clock = { now: () => time, pass: (seconds: number) => void (time += seconds * 1000) }
  const app = setup.openApp({ now: clock.now, timeoutMs: options.timeoutMs }, options.env)
  const at = { owner: installation.account.login, repo: 'shop' }
  const path = new RegExp(`^/repos/${at.owner}/shop`)
  return {
    app, clock, installation, repository, at,
    get: (by: GithubApp = app, signal?: AbortSignal) => by.as(installation.id).rest.repos.get({ ...at, request: { signal } }),
    post: (by: GithubApp = app, signal?: AbortSignal) => by.as(installation.id).rest.issues.createComment({ ...at, issue_number: issue.number, body: 'Hello', request: { signal } }),
    path,
    calls: (method = 'GET') => setup.github.callsTo(method, path),
    mints: () => setup.github.callsTo('POST', new RegExp(`^/app/installations/${installation.id}/access_tokens$`)),
  }
}

test('one token serves many calls, and is made anew shortly before its hour is over', async () => {
  const { get, post, mints, clock } = await open()
  const { data } = await get()
  expect(data.name).toBe('shop')
  await Promise.all([post(), get()])
  expect(mints()).toHaveLength(1)
  clock.pass(3_700)
  await get()
  expect(mints()).toHaveLength(2)
})

test('calls that come together wait for one token', async () => {
  const { get, post, mints } = await open()
  await Promise.all([get(), post()])
  expect(mints()).toHaveLength(1)
})

test('the App tells who it is, and asks once', async () => {
  const { app } = await open()
  const before = setup.github.callsTo('GET', /^\/app$/).length
  expect(await app.identity()).toMatchObject({ id: setup.github.app.id, slug: 'nura' })
  await app.identity()
  expect(setup.github.callsTo('GET', /^\/app$/)).toHaveLength(before + 1)
})

test('a secondary limit: no call by that installation for as long as asked, in any process; others go on', async () => {
  const first = await open()
  const other = await open()
  setup.github.fail({ path: first.path }, { kind: 'secondary', seconds: 30 })
  const failure = await first.get().catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'github-rate-limited', retryable: true, retryAt: new Date(begin + 30_000) })
  const made = setup.github.calls.length
  const second = setup.openApp({ now: first.clock.now })
  for (const app of [first.app, second]) {
    await expect(first.get(app)).rejects.toMatchObject({ code: 'github-rate-limited', retryAt: new Date(begin + 30_000) })
    await expect(first.post(app)).rejects.toMatchObject({ code: 'github-rate-limited', retryAt: new Date(begin + 30_000) })
  }
  expect(setup.github.calls).toHaveLength(made)
  expect((await other.get()).status).toBe(200)
  first.clock.pass(31)
  expect((await first.get()).status).toBe(200)
  expect((await first.post(second)).status).toBe(201)
})

test('a secondary limit that names no time is waited out a minute, and longer when it comes again', async () => {
  const { get, clock, path } = await open()
  setup.github.fail({ path }, { kind: 'secondary' }, 2)
  await expect(get()).rejects.toMatchObject({ retryAt: new Date(begin + 60_000) })
  clock.pass(61)
  await expect(get()).rejects.toMatchObject({ retryAt: new Date(begin + 61_000 + 120_000) })
  clock.pass(121)
  await get()
  setup.github.fail({ path }, { kind: 'secondary', status: 429 })
  await expect(get()).rejects.toMatchObject({ retryAt: new Date(clock.now() + 60_000) })
})

test('a limit that is used up is waited out to its reset, told by the clock of GitHub', async () => {
  const { get, path, installation } = await open()
  setup.github.fail({ path }, { kind: 'exhausted', seconds: 600 })
  await expect(get()).rejects.toMatchObject({ code: 'github-rate-limited', retryAt: expect.any(Date) as Date })
  const { blockedUntil } = (await findGithubInstallation(setup.db, installation.id))!
  expect(blockedUntil!.getTime() - begin).toBeGreaterThan(590_000)
  expect(blockedUntil!.getTime() - begin).toBeLessThan(605_000)
})

test('the last call that is left is answered, and is the last', async () => {
  const { get, path, calls } = await open()
  setup.github.fail({ path }, { kind: 'remaining', seconds: 600 })
  expect((await get()).status).toBe(200)
  await expect(get()).rejects.toMatchObject({ code: 'github-rate-limited' })
  expect(calls()).toHaveLength(1)
})

test('a limit on making tokens holds back the installation that asked, and no other', async () => {
  const first = await open()
  const other = await open()
  setup.github.fail({ path: new RegExp(`/installations/${first.installation.id}/access_tokens`) }, { kind: 'secondary', seconds: 30 })
  await expect(first.get()).rejects.toMatchObject({ code: 'github-rate-limited' })
  await expect(first.get()).rejects.toMatchObject({ code: 'github-rate-limited' })
  expect(first.mints()).toHaveLength(1)
  expect((await other.get()).status).toBe(200)
})

test('what did not change is given again without being sent, and costs nothing', async () => {
  const { get, calls, installation, repository } = await open()
  const first = await get()
  const left = installation.rate.remaining
  const second = await get()
  expect(calls().map(({ status }) => status)).toEqual([200, 304])
  expect(calls()[1]!.headers['if-none-match']).toBeDefined()
  expect(installation.rate.remaining).toBe(left)
  expect(second).toMatchObject({ status: 200, data: first.data })
  expect(Number(second.headers['x-ratelimit-remaining'])).toBe(left)
  second.data.name = 'spoiled by the caller'
  expect((await get()).data.name).toBe('shop')
  await repository.setPrivate(false)
  expect((await get()).data.private).toBe(false)
  expect(calls().at(-1)!.status).toBe(200)
})

test('nothing that one installation was given is asked for in the name of another', async () => {
  const first = await open()
  const other = await setup.install()
  await setup.github.addTo(other.installation, first.repository)
  await first.get()
  await first.app.as(other.installation.id).rest.repos.get(first.at)
  expect(first.calls().map(({ status, headers }) => [status, headers['if-none-match']])).toEqual([[200, undefined], [200, undefined]])
})

test('pages of a list are told apart', async () => {
  const { app, installation, at, repository } = await open()
  const issue = await repository.openIssue()
  for (let count = 0; count < 5; count++) await app.as(installation.id).rest.issues.createComment({ ...at, issue_number: issue.number, body: `${count}` })
  for (let times = 0; times < 2; times++) {
    const comments = await app.as(installation.id).paginate('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', { ...at, issue_number: issue.number, per_page: 2 })
    expect(comments.map(({ body }) => body)).toEqual(['0', '1', '2', '3', '4'])
  }
})

test('a token that is refused in the middle of the work is made anew once, for a write too', async () => {
  const { get, post, mints, calls } = await open()
  await get()
  setup.github.expireTokens()
  expect((await post()).status).toBe(201)
  expect(mints()).toHaveLength(2)
  setup.github.expireTokens()
  expect((await get()).status).toBe(200)
  expect(mints()).toHaveLength(3)
  expect(calls('POST').map(({ status }) => status)).toEqual([401, 201])
})

test('credentials that stay refused end the call', async () => {
  const { get, path, calls, mints } = await open()
  setup.github.fail({ path }, { kind: 'unauthorized' }, 9)
  await expect(get()).rejects.toMatchObject({ code: 'github-unauthorized', retryable: true })
  expect(calls()).toHaveLength(2)
  expect(mints()).toHaveLength(2)
})

test('a read that fails is made once more, a write never', async () => {
  const { get, post, path, calls, repository } = await open()
  setup.github.fail({ method: 'GET', path }, { kind: 'status', status: 502 })
  expect((await get()).status).toBe(200)
  setup.github.fail({ method: 'GET', path }, { kind: 'drop' }, 2)
  await expect(get()).rejects.toMatchObject({ code: 'github-unavailable', retryable: true })
  expect(calls()).toHaveLength(4)
  setup.github.fail({ method: 'POST', path }, { kind: 'status', status: 502, commits: true })
  await expect(post()).rejects.toMatchObject({ code: 'github-unavailable', retryable: true })
  setup.github.fail({ method: 'POST', path }, { kind: 'drop', commits: true })
  await expect(post()).rejects.toMatchObject({ code: 'github-unavailable', retryable: true })
  expect(calls('POST')).toHaveLength(2)
  expect([...repository.threads.values()].flatMap(({ comments }) => comments)).toHaveLength(2)
})

test('an answer that breaks off in the middle is a failure, not an empty answer', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
    response.write('{"name":', () => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const app = setup.openApp({}, { GITHUB_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  await expect(app.asUser('token').rest.users.getAuthenticated()).rejects.toMatchObject({ code: 'github-unavailable' })
})

test('an answer that does not come is given up', async () => {
  const { get, path } = await open({ timeoutMs: 2000 })
  setup.github.fail({ path }, { kind: 'hang' })
  await expect(get()).rejects.toMatchObject({ code: 'github-unavailable', retryable: true })
  expect((await get(setup.openApp())).status).toBe(200)
})

test('an installation that is suspended, deleted or unknown is never called', async () => {
  const { app, get, post, installation } = await open()
  for (const state of ['suspended', 'deleted'] as const) {
    await setGithubInstallationState(setup.db, installation.id, state)
    const made = setup.github.calls.length
    await expect(get()).rejects.toMatchObject({ code: 'github-not-installed', retryable: false })
    await expect(post()).rejects.toMatchObject({ code: 'github-not-installed' })
    await expect(app.as(987_654).rest.apps.listReposAccessibleToInstallation()).rejects.toMatchObject({ code: 'github-not-installed' })
    expect(setup.github.calls).toHaveLength(made)
  }
  await setGithubInstallationState(setup.db, installation.id, 'active')
  expect((await get()).status).toBe(200)
})

test('an installation that is gone on GitHub says so', async () => {
  const { get, installation } = await open()
  await setup.github.suspend(installation)
  await expect(get()).rejects.toMatchObject({ code: 'github-not-installed' })
  await setup.github.uninstall(installation)
  await expect(get()).rejects.toMatchObject({ code: 'github-not-installed' })
})

test('reads go one after another, and so do writes; neither waits for the other, nor for another installation', async () => {
  const first = await open()
  const other = await open()
  await first.get()
  const held = Promise.withResolvers<void>()
  let isHeld = false
  setup.github.before({ method: 'GET', path: first.path }, () => (isHeld = true, held.promise))
  const reads = [first.get(), first.get(), first.get()]
  await expect.poll(() => isHeld).toBe(true)
  await first.post()
  await other.get()
  expect(first.calls()).toHaveLength(2)
  held.resolve()
  await Promise.all(reads)
  expect(first.calls()).toHaveLength(4)
})

test('writes keep their distance', async () => {
  const { get, post, calls } = await open({ env: { GITHUB_WRITE_INTERVAL_MS: '3600000' } })
  await post()
  const stop = new AbortController()
  const second = post(undefined, stop.signal).catch((error: unknown) => error)
  await get()
  await get()
  expect(calls('POST')).toHaveLength(1)
  const reason = new Error('enough')
  stop.abort(reason)
  expect(await second).toBe(reason)
})

test('a call ends with the reason of its signal: at once, in the middle, and before its turn', async () => {
  const { get, path, calls } = await open()
  await get()
  const reason = new Error('enough')
  await expect(get(undefined, AbortSignal.abort(reason))).rejects.toBe(reason)
  expect(calls()).toHaveLength(1)
  const [running, waiting] = [new AbortController(), new AbortController()]
  setup.github.fail({ path }, { kind: 'hang' })
  const [first, second] = [get(undefined, running.signal), get(undefined, waiting.signal)]
  await expect.poll(() => calls()).toHaveLength(2)
  waiting.abort(reason)
  await expect(second).rejects.toBe(reason)
  running.abort(reason)
  await expect(first).rejects.toBe(reason)
  expect((await get()).status).toBe(200)
  expect(calls()).toHaveLength(3)
})

test('a write to a repository that was renamed is made there', async () => {
  const { post, repository } = await open()
  await repository.rename('store')
  expect((await post()).status).toBe(201)
  expect([...repository.threads.values()].flatMap(({ comments }) => comments)).toHaveLength(1)
})

test('a write that is sent to another host is not made there', async () => {
  let asked = 0
  const elsewhere = createServer((_, response) => void (asked++, response.end('{}')))
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  const to = `http://localhost:${(elsewhere.address() as AddressInfo).port}/`
  const server = createServer((_, response) => response.writeHead(302, { location: to }).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void (server.close(), elsewhere.close()))
  const app = setup.openApp({}, { GITHUB_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  await expect(app.asUser('token').rest.issues.create({ owner: 'a', repo: 'b', title: 'c' })).rejects.toMatchObject({ code: 'github-unavailable' })
  expect(asked).toBe(0)
})

test('refusals are told by code and status, and show no name', async () => {
  const { app, installation, at, path } = await open()
  const octokit = app.as(installation.id)
  const missing = await octokit.rest.repos.get({ owner: at.owner, repo: 'secret-project' }).catch((error: unknown) => error)
  expect(missing).toMatchObject({ code: 'github-not-found', retryable: false })
  expect((missing as Error).message).not.toContain('secret-project')
  expect(githubStatusOf(missing)).toBe(404)
  setup.github.fail({ path }, { kind: 'status', status: 403, message: 'Resource not accessible by integration' })
  await expect(octokit.rest.repos.get(at)).rejects.toMatchObject({ code: 'github-forbidden' })
  setup.github.fail({ path }, { kind: 'status', status: 406 })
  const refused = await octokit.rest.repos.get(at).catch((error: unknown) => error)
  expect(refused).toMatchObject({ code: 'github-refused' })
  expect(githubStatusOf(refused)).toBe(406)
  expect(githubStatusOf(new Error('our own'))).toBeNull()
})

test('a person whose token is refused is told so', async () => {
  const { app } = await open()
  await expect(app.asUser('ghu_nobody').rest.users.getAuthenticated()).rejects.toMatchObject({ code: 'github-unauthorized' })
})
