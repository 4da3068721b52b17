import type { Octokit } from 'octokit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createOctokitApp, statusOf } from './create-octokit-app.ts'
import type { FakeRepository } from './fake-repository.ts'
import type { FakePull } from './fake-pull.ts'
import { startFakeGithub } from './start-fake-github.ts'
import type { FakeGithub } from './start-fake-github.ts'

let github: FakeGithub
let octokit: Octokit
let repository: FakeRepository
let pull: FakePull
const at = { owner: 'acme', repo: 'shop' }

beforeAll(async () => {
  github = await startFakeGithub()
  const installation = await github.addInstallation({ account: 'acme', accountType: 'Organization' })
  octokit = await createOctokitApp(github).getInstallationOctokit(installation.id)
  repository = await github.addRepository({ installation, name: 'shop', files: { 'a.ts': 'a\n' } })
  pull = await repository.openPull({ branch: 'feature', files: { 'a.ts': 'b\n' }, author: 'alice' })
})
afterAll(() => github.close())

test("a comment is written, changed and taken away as our App, and read as anyone's", async () => {
  const human = await pull.comment('bob', 'Looks fine')
  const { data: made } = await octokit.rest.issues.createComment({ ...at, issue_number: pull.number, body: 'Summary' })
  expect(made).toMatchObject({
    user: { login: 'nura[bot]', type: 'Bot' },
    performed_via_github_app: { id: github.app.id, slug: 'nura' },
  })
  expect((await octokit.rest.issues.getComment({ ...at, comment_id: human.id })).data).toMatchObject({
    body: 'Looks fine',
    performed_via_github_app: null,
  })
  await octokit.rest.issues.updateComment({ ...at, comment_id: made.id, body: 'Better' })
  expect(pull.comments.map(({ body, viaApp }) => [body, viaApp])).toEqual([
    ['Looks fine', false],
    ['Better', true],
  ])
  await octokit.rest.issues.deleteComment({ ...at, comment_id: made.id })
  expect(await statusOf(octokit.rest.issues.updateComment({ ...at, comment_id: made.id, body: 'x' }))).toBe(404)
})

test('a comment has its limits', async () => {
  const write = (body: string) => statusOf(octokit.rest.issues.createComment({ ...at, issue_number: pull.number, body }))
  expect([await write('x'.repeat(65_536)), await write('x'.repeat(65_537)), await write(' ')]).toEqual([200, 422, 422])
  pull.locked = true
  expect(await write('late')).toBe(403)
  pull.locked = false
  await repository.archive()
  expect(await write('late')).toBe(403)
  repository.archived = false
})

test('comments since a time are those changed since then', async () => {
  const issue = await repository.openIssue()
  const old = await issue.comment('bob', 'Old')
  old.updatedAt = '2020-01-01T00:00:00Z'
  await issue.comment('bob', 'New')
  const { data } = await octokit.rest.issues.listComments({ ...at, issue_number: issue.number, since: '2021-01-01T00:00:00Z' })
  expect(data.map(({ body }) => body)).toEqual(['New'])
})

test('a review thread is answered at its root only', async () => {
  const root = await pull.review('bob', { path: 'a.ts', line: 1, body: 'Why b?' })
  const { data: first } = await octokit.rest.pulls.createReplyForReviewComment({
    ...at,
    pull_number: pull.number,
    comment_id: root.id,
    body: 'Because',
  })
  expect(first).toMatchObject({
    in_reply_to_id: root.id,
    path: 'a.ts',
    line: 1,
    commit_id: pull.pull.head.sha,
    user: { login: 'nura[bot]' },
  })
  const second = await octokit.request('POST /repos/{owner}/{repo}/pulls/{pull_number}/comments', {
    ...at,
    pull_number: pull.number,
    body: 'And',
    in_reply_to: root.id,
  } as never)
  expect(second.data).toMatchObject({ in_reply_to_id: root.id })
  expect(
    await statusOf(
      octokit.rest.pulls.createReplyForReviewComment({ ...at, pull_number: pull.number, comment_id: first.id, body: 'No' }),
    ),
  ).toBe(422)
  const human = await pull.reply('bob', first.id, 'Ah')
  expect(human.review?.rootId).toBe(root.id)
  expect((await octokit.rest.pulls.listReviewComments({ ...at, pull_number: pull.number })).data.map(({ body }) => body)).toEqual(
    ['Why b?', 'Because', 'And', 'Ah'],
  )
  await octokit.rest.pulls.updateReviewComment({ ...at, comment_id: first.id, body: 'Because of c' })
  expect((await octokit.rest.pulls.getReviewComment({ ...at, comment_id: first.id })).data.body).toBe('Because of c')
})

test('a reaction stands once and is taken away by its id, wherever it stands', async () => {
  const comment = await pull.comment('bob', '@nura why?')
  const review = await pull.review('bob', { path: 'a.ts', line: 1, body: '@nura why?' })
  const issue = await repository.openIssue({ body: '@nura why?' })
  const add = [
    () => octokit.rest.reactions.createForIssueComment({ ...at, comment_id: comment.id, content: 'eyes' }),
    () => octokit.rest.reactions.createForPullRequestReviewComment({ ...at, comment_id: review.id, content: 'eyes' }),
    () => octokit.rest.reactions.createForIssue({ ...at, issue_number: issue.number, content: 'eyes' }),
  ]
  const first = [await add[0]!(), await add[1]!(), await add[2]!()]
  const again = [await add[0]!(), await add[1]!(), await add[2]!()]
  expect([first.map(({ status }) => status), again.map(({ status }) => status)]).toEqual([
    [201, 201, 201],
    [200, 200, 200],
  ])
  expect(again.map(({ data }) => data.id)).toEqual(first.map(({ data }) => data.id))
  expect(comment.reactions.map(({ content, user }) => [content, user.login])).toEqual([['eyes', 'nura[bot]']])
  await octokit.rest.reactions.deleteForIssueComment({ ...at, comment_id: comment.id, reaction_id: first[0]!.data.id })
  await octokit.rest.reactions.deleteForPullRequestComment({ ...at, comment_id: review.id, reaction_id: first[1]!.data.id })
  await octokit.rest.reactions.deleteForIssue({ ...at, issue_number: issue.number, reaction_id: first[2]!.data.id })
  expect([comment.reactions, review.reactions, issue.reactions]).toEqual([[], [], []])
  expect(
    await statusOf(
      octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/reactions', {
        ...at,
        issue_number: issue.number,
        content: 'thumbs' as never,
      }),
    ),
  ).toBe(422)
})
