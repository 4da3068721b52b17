import examples from '@octokit/webhooks-examples'
import { expect, it } from 'vitest'
import { GithubEvent } from './github-event.ts'
import { toGithubEvents } from './read-delivery.ts'

type Example = Record<string, unknown>
/** The parts of a payload that these tests change. */
type Known = { issue: { number: number }; comment: object; pull_request: { labels: object[]; user: object } }
const list = examples as unknown as { name: string; examples: Example[] }[]
const installation = { id: 7, node_id: 'x' }

/** Published payloads as an App gets them: the examples of a repository's own webhook lack the installation. */
const published = list.flatMap(({ name, examples: all }) => all.map((payload) => ({ name, payload: { installation, ...payload } as Example })))
const kinds = (name: string, payload: unknown) => toGithubEvents(name, payload, 'nura').map((event) => event.kind)
const find = (name: string, action?: string) => published.find((each) => each.name === name && (action === undefined || each.payload.action === action))!.payload as Example & Known

it('reads every published payload, and what it keeps of one is read back as it was', () => {
  for (const { name, payload } of published) {
    for (const event of toGithubEvents(name, payload, 'nura')) expect(GithubEvent.parse(JSON.parse(JSON.stringify(event)))).toEqual(event)
  }
})

it('keeps nothing of an event that does not concern us', () => {
  const kept = new Set(published.filter(({ name, payload }) => kinds(name, payload).length > 0).map(({ name }) => name))
  expect([...kept].toSorted()).toEqual(['deployment', 'deployment_status', 'installation', 'installation_repositories', 'issues', 'public', 'pull_request', 'pull_request_review', 'push', 'release', 'repository'])
})

it.each([
  ['installation', 'created', ['installation']],
  ['installation', 'suspend', ['installation']],
  ['installation_repositories', 'removed', ['selection']],
  ['repository', 'renamed', ['repository']],
  ['repository', 'privatized', ['repository']],
  ['repository', 'edited', []],
  ['pull_request', 'synchronize', ['pull', 'activity']],
  ['pull_request', 'converted_to_draft', ['pull', 'activity']],
  ['pull_request', 'labeled', ['activity']],
  ['pull_request', 'assigned', ['activity']],
  ['issues', 'opened', ['activity']],
  ['pull_request_review', 'submitted', ['activity']],
  ['release', 'published', ['activity']],
  ['deployment_status', 'created', ['activity']],
  ['issue_comment', 'created', []],
])('%s %s is %j', (name, action, expected) => {
  expect(kinds(name, find(name, action))).toEqual(expected)
})

it('takes a new default branch for what it is', () => {
  const payload = { ...find('repository', 'edited'), changes: { default_branch: { from: 'master' } } }
  expect(toGithubEvents('repository', payload, 'nura')).toMatchObject([{ kind: 'repository', action: 'default-branch' }])
})

it('takes a label for what it says', () => {
  const payload = find('pull_request', 'labeled')
  const label = { ...payload.pull_request.labels[0], name: 'nura:skip' }
  const skipped = { ...payload, label, pull_request: { ...payload.pull_request, labels: [label] } }
  expect(toGithubEvents('pull_request', skipped, 'nura')).toMatchObject([{ kind: 'pull', action: 'labeled', skipped: true }, { kind: 'activity' }])
  expect(toGithubEvents('pull_request', { ...skipped, action: 'unlabeled', pull_request: { ...payload.pull_request, labels: [] } }, 'nura')).toMatchObject([{ skipped: false }, { kind: 'activity' }])
})

it('keeps of what is counted only what no list tells', () => {
  const pushed = find('pull_request', 'synchronize')
  expect(toGithubEvents('pull_request', pushed, 'nura').at(-1)).toMatchObject({ of: 'pull', number: pushed.number, action: 'pushed', at: (pushed.pull_request as Example).updated_at })
  const issue = find('issues', 'opened')
  expect(toGithubEvents('issues', { ...issue, action: 'transferred' }, 'nura')).toMatchObject([{ of: 'issue', number: issue.issue.number, action: 'gone', at: null }])
})

it("skips a bot's pull request", () => {
  const payload = find('pull_request', 'opened')
  const opened = (type: string) => toGithubEvents('pull_request', { ...payload, pull_request: { ...payload.pull_request, labels: [], user: { ...payload.pull_request.user, type } } }, 'nura')[0]
  expect([opened('Bot'), opened('User')]).toMatchObject([{ skipped: true }, { skipped: false }])
})

const comment = (name: 'issue_comment' | 'pull_request_review_comment', change: Example, more: Example = {}): Example & Known => {
  const payload = find(name, 'created')
  return { ...payload, ...more, comment: { ...payload.comment, body: '@nura where is it?', ...change } }
}

it.each([
  ['by a person', {}, {}, 1],
  ['by a bot', { user: { id: 1, login: 'nura[bot]', type: 'Bot' } }, {}, 0],
  ['by nobody any more', { user: null }, {}, 0],
  ['without text', { body: null }, {}, 0],
  ['that says nothing to Nura', { body: 'hello' }, {}, 0],
  ['that was edited', {}, { action: 'edited' }, 0],
  ['that was deleted', {}, { action: 'deleted' }, 0],
])('a comment %s', (_, change, more, expected) => {
  expect(toGithubEvents('issue_comment', comment('issue_comment', change, more), 'nura')).toHaveLength(expected)
  expect(toGithubEvents('pull_request_review_comment', comment('pull_request_review_comment', change, more), 'nura')).toHaveLength(expected)
})

it('knows where it was asked', () => {
  const issue = comment('issue_comment', { id: 11 })
  const pull = { ...issue, issue: { ...issue.issue, pull_request: { url: 'x' } } }
  expect(toGithubEvents('issue_comment', issue, 'nura')).toMatchObject([{ surface: 'issue', commentId: 11, rootId: null }])
  expect(toGithubEvents('issue_comment', pull, 'nura')).toMatchObject([{ surface: 'pull', commentId: 11, rootId: null }])
  const [root, reply] = [comment('pull_request_review_comment', { id: 12 }), comment('pull_request_review_comment', { id: 13, in_reply_to_id: 12 })]
  expect(toGithubEvents('pull_request_review_comment', root, 'nura')).toMatchObject([{ surface: 'review', commentId: 12, rootId: 12 }])
  expect(toGithubEvents('pull_request_review_comment', reply, 'nura')).toMatchObject([{ surface: 'review', commentId: 13, rootId: 12 }])
})

it('hears what is said to Nura where an issue or a pull request is opened, beside the pull request itself', () => {
  const issue = find('issues', 'opened')
  expect(toGithubEvents('issues', { ...issue, issue: { ...issue.issue, body: '@nura why?' } }, 'nura')).toMatchObject([{ kind: 'mention', surface: 'issue', commentId: issue.issue.number }, { kind: 'activity', of: 'issue' }])
  const pull = find('pull_request', 'opened')
  expect(kinds('pull_request', { ...pull, pull_request: { ...pull.pull_request, body: '@nura why?' } })).toEqual(['pull', 'mention', 'activity'])
})

it('does not guess what the App is called', () => {
  const said = (body: string) => () => toGithubEvents('issue_comment', comment('issue_comment', { body }), null)
  expect(said('@nura why?')()).toHaveLength(1)
  expect(said('no name')()).toEqual([])
  expect(said('@acme-nura why?')).toThrow('GitHub has not said yet')
})
