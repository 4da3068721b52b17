import { defineRepositoryRoute, Refusal, toPage } from './route.ts'
import type { Reply, RepositoryRequest } from './route.ts'
import { findComment, findReviewComment, toAuthor } from './routes-comments.ts'
import { readThread } from './routes-pulls.ts'
import { toReaction } from './thread-views.ts'
import { toTime } from './world.ts'
import type { Reaction } from './world.ts'

export const reactionRoutes = [
  ...toReactionRoutes('/issues/:number', ({ repository, params }) => readThread(repository, params.number).reactions, 'issues'),
  ...toReactionRoutes('/issues/comments/:comment', (request) => findComment(request).comment.reactions, 'issues'),
  ...toReactionRoutes('/pulls/comments/:comment', (request) => findReviewComment(request).comment.reactions, 'pull_requests'),
]

const contents = ['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'rocket', 'eyes']

function toReactionRoutes(path: string, reactionsOf: (request: RepositoryRequest) => Reaction[], permission: string) {
  const read = { needs: [...new Set([`${permission}:read`, 'pull_requests:read'])] }
  const write = { needs: [...new Set([`${permission}:write`, 'pull_requests:write'])] }
  function add(request: RepositoryRequest): Reply {
    const { world, body } = request
    const content = String(body.content)
    if (!contents.includes(content))
      throw new Refusal(422, 'Validation Failed', { errors: [{ resource: 'Reaction', code: 'custom', field: 'content' }] })
    const user = toAuthor(request)
    const reactions = reactionsOf(request)
    const known = reactions.find((reaction) => reaction.content === content && reaction.user.id === user.id)
    if (known) return { status: 200, body: toReaction(world, known) }
    const made = { id: world.nextId(), content, user, createdAt: toTime(world.now()) }
    reactions.push(made)
    return { status: 201, body: toReaction(world, made) }
  }
  function take(request: RepositoryRequest): Reply {
    const reactions = reactionsOf(request)
    const at = reactions.findIndex(({ id }) => id === Number(request.params.reaction))
    if (at < 0) throw new Refusal(404, 'Not Found')
    reactions.splice(at, 1)
    return { status: 204 }
  }
  return [
    defineRepositoryRoute(
      'GET',
      `${path}/reactions`,
      (request) =>
        toPage(
          request,
          reactionsOf(request).filter(({ content }) => (request.query.get('content') ?? content) === content),
          (page) => page.map((reaction) => toReaction(request.world, reaction)),
        ),
      read,
    ),
    defineRepositoryRoute('POST', `${path}/reactions`, add, write),
    defineRepositoryRoute('DELETE', `${path}/reactions/:reaction`, take, write),
  ]
}
