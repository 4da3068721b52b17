import { defineRepositoryRoute, readText, Refusal, toPage } from './route.ts'
import type { Reply, RepositoryRequest } from './route.ts'
import { readPull, readThread } from './routes-pulls.ts'
import { toComment, toReviewComment } from './thread-views.ts'
import { toAssociation, toPermission, toTime } from './world.ts'
import type { Account, Comment, Thread } from './world.ts'

const readIssues = { needs: ['issues:read', 'pull_requests:read'] }
const writeIssues = { needs: ['issues:write', 'pull_requests:write'] }
const readPulls = { needs: ['pull_requests:read'] }
const writePulls = { needs: ['pull_requests:write'] }

export const commentRoutes = [
  defineRepositoryRoute('GET', '/issues/:number/comments', listComments, readIssues),
  defineRepositoryRoute('POST', '/issues/:number/comments', createComment, writeIssues),
  defineRepositoryRoute(
    'GET',
    '/issues/comments/:comment',
    (request) => ({ body: toIssueComment(request, findComment(request)) }),
    readIssues,
  ),
  defineRepositoryRoute(
    'PATCH',
    '/issues/comments/:comment',
    (request) => ({ body: toIssueComment(request, edit(request, findComment(request), 'IssueComment')) }),
    writeIssues,
  ),
  defineRepositoryRoute('DELETE', '/issues/comments/:comment', (request) => remove(request, findComment(request)), writeIssues),
  defineRepositoryRoute('GET', '/pulls/:number/comments', listReviewComments, readPulls),
  defineRepositoryRoute('POST', '/pulls/:number/comments', createReviewComment, writePulls),
  defineRepositoryRoute(
    'POST',
    '/pulls/:number/comments/:root/replies',
    (request) => reply(request, Number(request.params.root)),
    writePulls,
  ),
  defineRepositoryRoute(
    'GET',
    '/pulls/comments/:comment',
    (request) => ({ body: toPullComment(request, findReviewComment(request)) }),
    readPulls,
  ),
  defineRepositoryRoute(
    'PATCH',
    '/pulls/comments/:comment',
    (request) => ({ body: toPullComment(request, edit(request, findReviewComment(request), 'PullRequestReviewComment')) }),
    writePulls,
  ),
  defineRepositoryRoute(
    'DELETE',
    '/pulls/comments/:comment',
    (request) => remove(request, findReviewComment(request)),
    writePulls,
  ),
]

type Found = { thread: Thread; comment: Comment; among: Comment[] }

function find({ repository, params }: RepositoryRequest, listOf: (thread: Thread) => Comment[]): Found {
  for (const thread of repository.threads.values()) {
    const among = listOf(thread)
    const comment = among.find(({ id }) => id === Number(params.comment))
    if (comment) return { thread, comment, among }
  }
  throw new Refusal(404, 'Not Found')
}

export const findComment = (request: RepositoryRequest) => find(request, (thread) => thread.comments)
export const findReviewComment = (request: RepositoryRequest) => find(request, (thread) => thread.pull?.reviewComments ?? [])
const toIssueComment = ({ world, repository }: RepositoryRequest, { thread, comment }: Found) =>
  toComment(world, repository, thread, comment)
const toPullComment = ({ world, repository }: RepositoryRequest, { thread, comment }: Found) =>
  toReviewComment(world, repository, thread, comment)

/** Whom an actor's writing shows as its author. */
export function toAuthor({ actor, world }: RepositoryRequest): Account {
  return actor.kind === 'user' ? actor.user : world.app.bot
}

function refuseClosed({ repository, actor }: RepositoryRequest, thread: Thread): void {
  if (repository.archived) throw new Refusal(403, 'Repository was archived so is read-only.')
  const mayAnyway = actor.kind === 'user' && ['admin', 'maintain', 'write'].includes(toPermission(repository, actor.user))
  if (thread.locked && !mayAnyway) throw new Refusal(403, 'Unable to create comment because issue is locked.')
}

function listComments(request: RepositoryRequest): Reply {
  const { repository, params, query } = request
  const thread = readThread(repository, params.number)
  const since = query.get('since')
  const found = thread.comments.filter(({ updatedAt }) => !since || new Date(updatedAt) >= new Date(since))
  return toPage(request, found, (page) =>
    page.map((comment) => toIssueComment(request, { thread, comment, among: thread.comments })),
  )
}

function createComment(request: RepositoryRequest): Reply {
  const thread = readThread(request.repository, request.params.number)
  refuseClosed(request, thread)
  const comment = makeComment(request, readText(request.body, 'body', 'IssueComment'), null)
  thread.comments.push(comment)
  thread.updatedAt = comment.createdAt
  announce(request, { thread, comment, among: thread.comments }, 'created')
  const body = toIssueComment(request, { thread, comment, among: thread.comments })
  return { status: 201, body, headers: { location: String(body.url) } }
}

function makeComment(request: RepositoryRequest, body: string, review: Comment['review']): Comment {
  const { world, repository, actor } = request
  const user = toAuthor(request)
  const now = toTime(world.now())
  return {
    id: world.nextId(),
    user,
    viaApp: actor.kind !== 'user',
    association: toAssociation(repository, user),
    body,
    createdAt: now,
    updatedAt: now,
    reactions: [],
    review,
  }
}

function edit(request: RepositoryRequest, found: Found, resource: string): Found {
  refuseClosed(request, { ...found.thread, locked: false })
  const changes = { body: { from: found.comment.body } }
  found.comment.body = readText(request.body, 'body', resource)
  found.comment.updatedAt = toTime(request.world.now())
  announce(request, found, 'edited', { changes })
  return found
}

function remove(request: RepositoryRequest, found: Found): Reply {
  refuseClosed(request, { ...found.thread, locked: false })
  found.among.splice(found.among.indexOf(found.comment), 1)
  announce(request, found, 'deleted')
  return { status: 204 }
}

/** An App is told of its own comments too. */
function announce(
  request: RepositoryRequest,
  { thread, comment }: Found,
  action: string,
  extra: { changes?: Record<string, unknown> } = {},
): void {
  const { repository } = request
  const more = { sender: toAuthor(request), ...extra }
  if (comment.review)
    request.announce('pull_request_review_comment', (payloads) =>
      payloads.reviewComment(action, repository, thread, comment, more),
    )
  else request.announce('issue_comment', (payloads) => payloads.issueComment(action, repository, thread, comment, more))
}

function listReviewComments(request: RepositoryRequest): Reply {
  const thread = readPull(request)
  const since = request.query.get('since')
  const found = thread.pull.reviewComments.filter(({ updatedAt }) => !since || new Date(updatedAt) >= new Date(since))
  const sorted = request.query.get('direction') === 'desc' ? found.toReversed() : found
  return toPage(request, sorted, (page) =>
    page.map((comment) => toPullComment(request, { thread, comment, among: thread.pull.reviewComments })),
  )
}

function createReviewComment(request: RepositoryRequest): Reply {
  const { body } = request
  if (body.in_reply_to !== undefined) return reply(request, Number(body.in_reply_to))
  const thread = readPull(request)
  refuseClosed(request, thread)
  const text = readText(body, 'body', 'PullRequestReviewComment')
  const [path, commitId] = [
    readText(body, 'path', 'PullRequestReviewComment'),
    readText(body, 'commit_id', 'PullRequestReviewComment'),
  ]
  const comment = makeComment(request, text, {
    path,
    commitId,
    line: Number(body.line),
    side: body.side === 'LEFT' ? 'LEFT' : 'RIGHT',
    diffHunk: '@@ -1 +1 @@',
    rootId: null,
  })
  return addReviewComment(request, thread, comment)
}

/** An answer below the first comment of a review thread; answers to answers are not supported. */
function reply(request: RepositoryRequest, rootId: number): Reply {
  const thread = readPull(request)
  refuseClosed(request, thread)
  const text = readText(request.body, 'body', 'PullRequestReviewComment')
  const root = thread.pull.reviewComments.find(({ id }) => id === rootId)
  if (!root) throw new Refusal(404, 'Not Found')
  if (root.review!.rootId !== null)
    throw new Refusal(422, 'Validation Failed', {
      errors: [{ resource: 'PullRequestReviewComment', code: 'invalid', field: 'in_reply_to' }],
    })
  return addReviewComment(request, thread, makeComment(request, text, { ...root.review!, rootId }))
}

function addReviewComment(request: RepositoryRequest, thread: ReturnType<typeof readPull>, comment: Comment): Reply {
  const found = { thread, comment, among: thread.pull.reviewComments }
  found.among.push(comment)
  announce(request, found, 'created')
  const body = toPullComment(request, found)
  return { status: 201, body, headers: { location: String(body.url) } }
}
