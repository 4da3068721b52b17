import { createRequire } from 'node:module'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FakeRepository } from './fake-repository.ts'
import { zeros } from './payloads.ts'
import { startFakeGithub } from './start-fake-github.ts'
import type { FakeGithub } from './start-fake-github.ts'
import type { Installation } from './world.ts'

type Json = Record<string, unknown>

// Recorded by GitHub's own people: what an event holds is known from them.
const recorded = createRequire(import.meta.url)('@octokit/webhooks-examples/api.github.com/index.json') as {
  name: string
  examples: Json[]
}[]

let github: FakeGithub
let installation: Installation
let repository: FakeRepository

beforeAll(async () => {
  github = await startFakeGithub()
  installation = await github.addInstallation({ account: 'acme', accountType: 'Organization' })
  repository = await github.addRepository({ installation, name: 'shop', files: { 'a.ts': 'a\n' } })
})
afterAll(() => github.close())

/** Keys of such an event that every recorded one has and ours lacks, or has with another type. Null and absence say the same. */
function differences(
  name: string,
  payload: Json,
  choose: (example: Json) => boolean = ({ action }) => action === payload.action,
): string[] {
  const examples = recorded.find((event) => event.name === name)!.examples.filter(choose)
  expect(examples.length).toBeGreaterThan(0)
  // Written back and forth, as it goes over the wire.
  return compare(JSON.parse(JSON.stringify(payload)) as Json, examples, name)
}

function compare(ours: Json, examples: Json[], at: string): string[] {
  const keys = Object.keys(examples[0]!).filter((key) => examples.every((example) => key in example))
  return keys.flatMap((key) => {
    const theirs = examples.map((example) => example[key])
    const kinds = new Set(theirs.map(kindOf))
    if (!(key in ours)) return [`${at}.${key} is absent`]
    const value = ours[key]
    if (kindOf(value) === 'null' || kinds.has('null')) return []
    if (!kinds.has(kindOf(value))) return [`${at}.${key} is ${kindOf(value)}, not ${[...kinds].join(' or ')}`]
    // What was granted differs from App to App.
    if (key === 'permissions') return []
    if (kindOf(value) === 'object') return compare(value as Json, theirs as Json[], `${at}.${key}`)
    const items = theirs
      .flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []))
      .filter((item): item is Json => kindOf(item) === 'object')
    if (!Array.isArray(value) || items.length === 0) return []
    return (value as Json[]).flatMap((item) => compare(item, items, `${at}.${key}[]`))
  })
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
}

test('pushes are as GitHub sends them: forward, forced, a new branch, a deleted one, a tag', async () => {
  const before = await repository.git('rev-parse', 'main')
  const first = await repository.commit({ 'b.ts': 'b\n', 'a.ts': null }, { author: 'alice', message: 'One' })
  const second = await repository.commit({ 'b.ts': 'c\n' }, { author: 'alice', message: 'Two' })
  const push = (options: Parameters<typeof github.payloads.push>[1]) => github.payloads.push(repository, options)
  const forward = await push({ ref: 'refs/heads/main', before, after: second, sender: github.world.account('alice') })
  expect(
    differences('push', forward, ({ ref, head_commit: head }) => !String(ref).startsWith('refs/tags/') && head !== null),
  ).toEqual([])
  expect(forward).toMatchObject({
    forced: false,
    created: false,
    deleted: false,
    commits: [
      { id: first, added: ['b.ts'], removed: ['a.ts'], modified: [] },
      { id: second, modified: ['b.ts'] },
    ],
    installation: { id: installation.id },
  })
  const forced = await push({ ref: 'refs/heads/main', before: second, after: first, forced: true })
  expect(forced).toMatchObject({ forced: true, commits: [], head_commit: { id: first } })

  await repository.commit({ 'd.ts': 'd\n' }, { branch: 'side', parent: second, message: 'Side' })
  const side = await repository.git('rev-parse', 'side')
  expect(await push({ ref: 'refs/heads/side', before: zeros, after: side })).toMatchObject({
    created: true,
    commits: [{ id: side }],
  })
  const gone = await push({ ref: 'refs/heads/side', before: side, after: zeros })
  expect(gone).toMatchObject({ deleted: true, commits: [], head_commit: null })
  expect(differences('push', gone, ({ deleted }) => deleted === true)).toEqual([])
  const tag = await push({ ref: 'refs/tags/v1', before: zeros, after: second })
  expect(tag).toMatchObject({ ref: 'refs/tags/v1', created: true, commits: [] })
  expect(differences('push', tag, ({ ref, created }) => String(ref).startsWith('refs/tags/') && created === true)).toEqual([])
})

test('pull requests are as GitHub sends them, those of forks too', async () => {
  const pull = await repository.openPull({ branch: 'feature', from: 'mallory', files: { 'a.ts': 'b\n' }, labels: ['nura:skip'] })
  const label = pull.labels[0]!
  const before = pull.pull.head.sha
  const after = await pull.push({ 'a.ts': 'c\n' })
  const make = (action: string, extra: Parameters<typeof github.payloads.pullRequest>[3] = {}) =>
    github.payloads.pullRequest(action, repository, pull, extra)
  expect(differences('pull_request', await make('synchronize', { before, after }))).toEqual([])
  for (const action of ['opened', 'closed', 'reopened', 'converted_to_draft', 'ready_for_review'])
    expect(differences('pull_request', await make(action))).toEqual([])
  for (const action of ['labeled', 'unlabeled']) expect(differences('pull_request', await make(action, { label }))).toEqual([])
  const fork = await make('opened')
  expect(fork).toMatchObject({
    pull_request: {
      head: { repo: { full_name: 'mallory/shop', fork: true } },
      base: { repo: { id: repository.id } },
      author_association: 'NONE',
    },
    repository: { id: repository.id },
  })
  const edited = await make('edited', { changes: { title: { from: 'Old' } } })
  expect(differences('pull_request', { ...edited, action: 'opened' })).toEqual([])
  expect(edited).toMatchObject({ action: 'edited', changes: { title: { from: 'Old' } } })
})

test('comments are as GitHub sends them: below issues, pull requests and lines, by people and by bots', async () => {
  const issue = await repository.openIssue({ author: 'alice' })
  const pull = await repository.openPull({ branch: 'talk', files: { 'talk.ts': 'x\n' }, author: 'alice' })
  const { payloads } = github
  const asked = await issue.comment('bob', '@nura why?')
  for (const action of ['created', 'edited', 'deleted']) {
    const payload = payloads.issueComment(
      action,
      repository,
      issue,
      asked,
      action === 'edited' ? { changes: { body: { from: 'x' } } } : {},
    )
    expect(differences('issue_comment', payload)).toEqual([])
    expect(payload).not.toHaveProperty('issue.pull_request')
  }
  expect(payloads.issueComment('created', repository, pull, await pull.comment('renovate[bot]', '@nura hi'))).toMatchObject({
    issue: { number: pull.number, pull_request: { url: `${github.url}/repos/acme/shop/pulls/${pull.number}` } },
    comment: { user: { login: 'renovate[bot]', type: 'Bot' } },
    sender: { type: 'Bot' },
  })
  const root = await pull.review('bob', { path: 'talk.ts', line: 1, body: 'Why?' })
  for (const action of ['created', 'edited', 'deleted']) {
    const payload = payloads.reviewComment(
      action,
      repository,
      pull,
      root,
      action === 'edited' ? { changes: { body: { from: 'x' } } } : {},
    )
    expect(differences('pull_request_review_comment', payload)).toEqual([])
    expect(payload).not.toHaveProperty('comment.in_reply_to_id')
  }
  expect(payloads.reviewComment('created', repository, pull, await pull.reply('bob', root.id, '@nura?'))).toMatchObject({
    comment: { in_reply_to_id: root.id },
  })
  expect(differences('issues', payloads.issues('opened', repository, issue))).toEqual([])
})

test('what happens to repositories and installations is as GitHub sends it', async () => {
  const { payloads } = github
  for (const action of ['created', 'privatized', 'publicized'])
    expect(differences('repository', payloads.repository(action, repository))).toEqual([])
  for (const action of ['archived', 'deleted'])
    expect(
      differences('repository', payloads.repository(action, repository), ({ action: known }) => known === 'created'),
    ).toEqual([])
  const renamed = payloads.repository('renamed', repository, { changes: { repository: { name: { from: 'old' } } } })
  expect(differences('repository', renamed)).toEqual([])
  const from = payloads.toOwner(github.world.account('alice'))
  expect(differences('repository', payloads.repository('transferred', repository, { changes: { owner: { from } } }))).toEqual([])
  expect(differences('public', payloads.open(repository), () => true)).toEqual([])
  for (const action of ['created', 'deleted', 'suspend', 'unsuspend'])
    expect(differences('installation', payloads.installation(action, installation))).toEqual([])
  for (const action of ['added', 'removed'] as const) {
    const payload = payloads.installationRepositories(action, installation, [repository.id])
    expect(differences('installation_repositories', payload)).toEqual([])
    expect(payload[`repositories_${action}`]).toMatchObject([{ id: repository.id, full_name: 'acme/shop', private: false }])
  }
})
