import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { openTestGithub } from '../testing/open-test-github.ts'
import type { TestGithub } from '../testing/open-test-github.ts'
import { postOnce } from './post-once.ts'

let setup: TestGithub
beforeAll(async () => {
  setup = await openTestGithub()
})
afterAll(() => setup.close())
afterEach(() => setup.github.clearFaults())

async function open() {
  const { installation } = await setup.install()
  const repository = await setup.github.addRepository({ installation, name: 'shop', files: { 'a.ts': 'a\n' } })
  const pull = await repository.openPull({ branch: 'b', files: { 'a.ts': 'b\n' }, author: 'ada' })
  const { id: root } = await pull.review('ada', { path: 'a.ts', line: 1, body: 'Why?' })
  const github = setup.openApp().as(installation.id)
  const at = { owner: installation.account.login, repo: 'shop', number: pull.number }
  const marker = randomUUID()
  const post = (place: { root?: number } = {}, more: { uncertain?: boolean } = {}) =>
    postOnce(github, { ...at, ...place }, { marker, body: 'An answer', app: { slug: 'nura' }, since: new Date(pull.createdAt), ...more })
  return { pull, root, post, marker, ours: () => [...pull.comments, ...pull.pull.reviewComments].filter(({ user }) => user.login === 'nura[bot]') }
}

test.each([false, true])('a comment that was made and answered with 502 is found, in a review thread: %s', async (inThread) => {
  const { root, post, ours } = await open()
  const place = inThread ? { root } : {}
  setup.github.fail({ method: 'POST', path: /\/(?:comments|replies)$/ }, { kind: 'status', status: 502, commits: true })
  const id = await post(place)
  expect(ours().map((comment) => comment.id)).toEqual([id])
  expect(await post(place, { uncertain: true })).toBe(id)
  expect(ours()[0]!.review?.rootId ?? null).toBe(inThread ? root : null)
})

test('one that was not made is not made by the same attempt', async () => {
  const { post, ours } = await open()
  setup.github.fail({ method: 'POST', path: /\/comments$/ }, { kind: 'drop' })
  await expect(post()).rejects.toMatchObject({ code: 'github-unavailable', retryable: true })
  expect(ours()).toEqual([])
  await post({}, { uncertain: true })
  expect(ours()).toHaveLength(1)
})

test('it is found behind the comments of others, and never taken for one of theirs', async () => {
  const { pull, post, marker, ours } = await open()
  const id = await post()
  for (let at = 0; at < 105; at++) await pull.comment('bob', `Remark ${at}\n\n<!-- nura:${marker} -->`)
  pull.comments.push(pull.comments.shift()!)
  expect(await post({}, { uncertain: true })).toBe(id)
  expect(ours()).toHaveLength(1)
})

test('a refusal is not looked into', async () => {
  const { post } = await open()
  setup.github.fail({ method: 'POST', path: /\/comments$/ }, { kind: 'status', status: 403, message: 'Unable to create comment because issue is locked.' })
  const before = setup.github.calls.length
  await expect(post()).rejects.toMatchObject({ code: 'github-forbidden' })
  expect(setup.github.calls.slice(before).filter(({ method, path }) => method === 'GET' && path.endsWith('/comments'))).toEqual([])
})
