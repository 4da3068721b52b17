import { toDeployment, toDeploymentStatus, toRelease, toReview, toTeam } from './activity-views.ts'
import { defineRepositoryRoute, defineRoute, Refusal, toPage } from './route.ts'
import type { Reply, Request } from './route.ts'
import { readPull } from './routes-pulls.ts'
import { toUser } from './views.ts'

/** What is counted of the work: reviews, releases, deployments and their statuses, and who is in which team. */
export const activityRoutes = [
  defineRepositoryRoute(
    'GET',
    '/pulls/:number/reviews',
    (request) => {
      const thread = readPull(request)
      return toPage(request, thread.pull.reviews, (page) => page.map((review) => toReview(request.world, request.repository, thread, review)))
    },
    { needs: ['pull_requests:read'] },
  ),
  defineRepositoryRoute(
    'GET',
    '/releases',
    (request) => toPage(request, request.repository.releases.toReversed(), (page) => page.map((release) => toRelease(request.world, request.repository, release))),
    { needs: ['contents:read'] },
  ),
  defineRepositoryRoute(
    'GET',
    '/deployments',
    (request) => toPage(request, request.repository.deployments.toReversed(), (page) => page.map((each) => toDeployment(request.world, request.repository, each))),
    { needs: ['deployments:read'] },
  ),
  defineRepositoryRoute(
    'GET',
    '/deployments/:deployment/statuses',
    (request) => {
      const deployment = request.repository.deployments.find(({ id }) => id === Number(request.params.deployment))
      if (!deployment) throw new Refusal(404, 'Not Found')
      return toPage(request, deployment.statuses.toReversed(), (page) => page.map((each) => toDeploymentStatus(request.world, request.repository, deployment, each)))
    },
    { needs: ['deployments:read'] },
  ),
  defineRoute('GET', '/orgs/:org/teams', (request) => toPage(request, findTeams(request), (page) => page.map((team) => toTeam(request.world, team))), { needs: ['members:read'] }),
  defineRoute('GET', '/orgs/:org/teams/:slug/members', listMembers, { needs: ['members:read'] }),
]

function findTeams({ world, params }: Request) {
  if (world.findAccount(params.org!)?.type !== 'Organization') throw new Refusal(404, 'Not Found')
  return world.teams.filter(({ org }) => org.toLowerCase() === params.org!.toLowerCase())
}

function listMembers(request: Request): Reply {
  const team = findTeams(request).find(({ slug }) => slug === request.params.slug)
  if (!team) throw new Refusal(404, 'Not Found')
  return toPage(request, [...team.members], (page) => page.map((login) => toUser(request.world, request.world.account(login))))
}
