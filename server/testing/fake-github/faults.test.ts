import type { Octokit } from 'octokit'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createOctokitApp, statusOf } from './create-octokit-app.ts'
import type { FakeIssue } from './fake-issue.ts'
import { startFakeGithub } from './start-fake-github.ts'
import type { FakeGithub } from './start-fake-github.ts'
import { toFreshRate } from './world.ts'
import type { Installation } from './world.ts'

let github: FakeGithub
let installation: Installation
let octokit: Octokit
let issue: FakeIssue
const at = { owner: 'acme', repo: 'shop' }
const path = /\/comments$/

beforeAll(async () => {
  github = await startFakeGithub()
  installation = await github.addInstallation({ account: 'acme' })
  octokit = await createOctokitApp(github).getInstallationOctokit(installation.id)
  const repository = await github.addRepository({ installation, name: 'shop', files: { a: 'a' } })
  issue = await repository.openIssue()
})
afterEach(() => {
  github.clearFaults()
  issue.comments.length = 0
  installation.rate = toFreshRate(new Date())
})
afterAll(() => github.close())

const post = (signal?: AbortSignal) =>
  octokit.rest.issues.createComment({ ...at, issue_number: issue.number, body: 'Hello', request: { signal } })
const read = () => octokit.rest.issues.listComments({ ...at, issue_number: issue.number })
const headersOf = async (call: Promise<unknown>) =>
  (
    (await call.catch((error: { response: { headers: Record<string, string> } }) => error.response)) as {
      headers: Record<string, string>
    }
  ).headers

test('a refusal comes as often as asked, and carries nothing out unless it says so', async () => {
  github.fail({ method: 'POST', path }, { kind: 'status', status: 502 }, 2)
  expect([await statusOf(post()), await statusOf(post()), issue.comments.length]).toEqual([502, 502, 0])
  github.fail({ method: 'POST', path }, { kind: 'status', status: 502, commits: true })
  expect([await statusOf(post()), issue.comments.length]).toEqual([502, 1])
  expect([await statusOf(post()), issue.comments.length]).toEqual([200, 2])
  expect(github.callsTo('POST', path).map(({ status }) => status)).toEqual([502, 502, 502, 201])
})

test('limits say when to come back', async () => {
  github.fail({ path }, { kind: 'secondary', seconds: 30 })
  github.fail({ path }, { kind: 'secondary', status: 429 })
  const first = await headersOf(read())
  expect(first['retry-after']).toBe('30')
  expect((await headersOf(read()))['retry-after']).toBeUndefined()
  github.fail({ path }, { kind: 'remaining', seconds: 90 })
  const last = await headersOf(read())
  expect(last['x-ratelimit-remaining']).toBe('0')
  expect(Number(last['x-ratelimit-reset']) - Date.now() / 1000).toBeGreaterThan(80)
  // From there on GitHub itself refuses, until its hour ends.
  expect([await statusOf(read()), await statusOf(read())]).toEqual([403, 403])
  installation.rate = toFreshRate(new Date())
  github.fail({ path }, { kind: 'exhausted', seconds: 90 })
  expect((await headersOf(read()))['x-ratelimit-remaining']).toBe('0')
})

test('another installation is not touched', async () => {
  const other = await github.addInstallation({ account: 'globex' })
  await (await github.addRepository({ installation: other, name: 'shop', files: { a: 'a' } })).openIssue()
  const theirs = await createOctokitApp(github).getInstallationOctokit(other.id)
  github.fail({ path, installation: installation.id }, { kind: 'exhausted', seconds: 60 })
  expect(await statusOf(theirs.rest.issues.listComments({ owner: 'globex', repo: 'shop', issue_number: 1 }))).toBe(200)
  expect(await statusOf(read())).toBe(403)
})

test('connections break and hang, with or without the work done', async () => {
  github.fail({ method: 'POST', path }, { kind: 'drop' })
  expect([await statusOf(post()), issue.comments.length]).toEqual([500, 0])
  github.fail({ method: 'POST', path }, { kind: 'drop', commits: true })
  expect([await statusOf(post()), issue.comments.length]).toEqual([500, 1])
  github.fail({ method: 'POST', path }, { kind: 'hang', commits: true })
  const stop = new AbortController()
  const hanging = statusOf(post(stop.signal))
  await expect.poll(() => issue.comments.length).toBe(2)
  stop.abort()
  expect(await hanging).not.toBe(200)
  github.fail({ method: 'POST', path }, { kind: 'slow', ms: 5 })
  expect([await statusOf(post()), issue.comments.length]).toEqual([200, 3])
})

test('a hook runs before the call, and a token may end at any time', async () => {
  github.before({ method: 'GET', path }, async () => void (await issue.comment('bob', 'Just in time')))
  expect((await read()).data.map(({ body }) => body)).toEqual(['Just in time'])
  const { token } = (await octokit.auth({ type: 'installation' })) as { token: string }
  const ask = async () => (await fetch(`${github.url}/repos/acme/shop`, { headers: { authorization: `token ${token}` } })).status
  github.fail({ path: /\/shop$/ }, { kind: 'unauthorized' })
  expect([await ask(), await ask()]).toEqual([401, 200])
  github.expireTokens()
  expect(await ask()).toBe(401)
})
