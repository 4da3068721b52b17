import { toNodeId, toUser } from './views.ts'
import { toFullName } from './world.ts'
import type { Deployment, Release, Repository, Review, Team, Thread, World } from './world.ts'

type Json = Record<string, unknown>

export function toReview(world: World, repository: Repository, thread: Thread, { id, user, state, submittedAt }: Review): Json {
  const pull = `${world.api}/repos/${toFullName(repository)}/pulls/${thread.number}`
  const html = `${world.web}/${toFullName(repository)}/pull/${thread.number}#pullrequestreview-${id}`
  const links = { html: { href: html }, pull_request: { href: pull } }
  return {
    id, node_id: toNodeId('PullRequestReview', id), user: toUser(world, user), body: '', state, html_url: html, pull_request_url: pull,
    author_association: 'NONE', _links: links, submitted_at: submittedAt, commit_id: thread.pull!.head.sha,
  }
}

export function toRelease(world: World, repository: Repository, release: Release): Json {
  const { id, tag, name, author, draft, prerelease, createdAt, publishedAt } = release
  const url = `${world.api}/repos/${toFullName(repository)}/releases/${id}`
  return {
    url, assets_url: `${url}/assets`, upload_url: `${url}/assets{?name,label}`, html_url: `${world.web}/${toFullName(repository)}/releases/tag/${encodeURIComponent(tag)}`,
    id, node_id: toNodeId('Release', id), author: toUser(world, author), tag_name: tag, target_commitish: repository.defaultBranch, name, draft, prerelease, immutable: false,
    created_at: createdAt, updated_at: publishedAt ?? createdAt, published_at: publishedAt, assets: [], tarball_url: null, zipball_url: null, body: null,
  }
}

export function toDeployment(world: World, repository: Repository, deployment: Deployment): Json {
  const { id, environment, ref, sha, creator, createdAt, updatedAt } = deployment
  const root = `${world.api}/repos/${toFullName(repository)}`
  return {
    url: `${root}/deployments/${id}`, id, node_id: toNodeId('Deployment', id), task: 'deploy', original_environment: environment, environment, description: null,
    created_at: createdAt, updated_at: updatedAt, statuses_url: `${root}/deployments/${id}/statuses`, repository_url: root, creator: toUser(world, creator), sha, ref, payload: {},
    transient_environment: false, production_environment: environment === 'production', performed_via_github_app: null,
  }
}

export function toDeploymentStatus(world: World, repository: Repository, { id: deployment, environment, creator }: Deployment, { id, state, createdAt }: Deployment['statuses'][number]): Json {
  const root = `${world.api}/repos/${toFullName(repository)}`
  return {
    url: `${root}/deployments/${deployment}/statuses/${id}`, id, node_id: toNodeId('DeploymentStatus', id), state, creator: toUser(world, creator), description: '', environment, target_url: '',
    created_at: createdAt, updated_at: createdAt, deployment_url: `${root}/deployments/${deployment}`, repository_url: root, environment_url: '', log_url: '', performed_via_github_app: null,
  }
}

export function toTeam(world: World, { id, org, slug, privacy }: Team): Json {
  const url = `${world.api}/orgs/${org}/teams/${slug}`
  return {
    id, node_id: toNodeId('Team', id), url, html_url: `${world.web}/orgs/${org}/teams/${slug}`, name: slug, slug, description: null, privacy, notification_setting: 'notifications_enabled',
    permission: 'pull', members_url: `${url}/members{/member}`, repositories_url: `${url}/repos`, parent: null,
  }
}
