import type { Account, Installation, Permission, Repository, World } from './world.ts'
import { findInstallationOf, toFullName, toPermission } from './world.ts'

type Json = Record<string, unknown>

const userLinks = {
  followers_url: '/followers',
  following_url: '/following{/other_user}',
  gists_url: '/gists{/gist_id}',
  starred_url: '/starred{/owner}{/repo}',
  subscriptions_url: '/subscriptions',
  organizations_url: '/orgs',
  repos_url: '/repos',
  events_url: '/events{/privacy}',
  received_events_url: '/received_events',
}

const repositoryLinks = {
  forks_url: '/forks',
  keys_url: '/keys{/key_id}',
  collaborators_url: '/collaborators{/collaborator}',
  teams_url: '/teams',
  hooks_url: '/hooks',
  issue_events_url: '/issues/events{/number}',
  events_url: '/events',
  assignees_url: '/assignees{/user}',
  branches_url: '/branches{/branch}',
  tags_url: '/tags',
  blobs_url: '/git/blobs{/sha}',
  git_tags_url: '/git/tags{/sha}',
  git_refs_url: '/git/refs{/sha}',
  trees_url: '/git/trees{/sha}',
  statuses_url: '/statuses/{sha}',
  languages_url: '/languages',
  stargazers_url: '/stargazers',
  contributors_url: '/contributors',
  subscribers_url: '/subscribers',
  subscription_url: '/subscription',
  commits_url: '/commits{/sha}',
  git_commits_url: '/git/commits{/sha}',
  comments_url: '/comments{/number}',
  issue_comment_url: '/issues/comments{/number}',
  contents_url: '/contents/{+path}',
  compare_url: '/compare/{base}...{head}',
  merges_url: '/merges',
  archive_url: '/{archive_format}{/ref}',
  downloads_url: '/downloads',
  issues_url: '/issues{/number}',
  pulls_url: '/pulls{/number}',
  milestones_url: '/milestones{/number}',
  notifications_url: '/notifications{?since,all,participating}',
  labels_url: '/labels{/name}',
  releases_url: '/releases{/id}',
  deployments_url: '/deployments',
}

function toLinks(root: string, table: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(table).map(([key, path]) => [key, root + path]))
}

/** Opaque, as GitHub's are: nobody may read anything from it. */
export function toNodeId(kind: string, id: number): string {
  return Buffer.from(`0${kind.length}:${kind}${id}`).toString('base64')
}

export function toUser(world: World, { id, login, type }: Account): Json {
  const url = `${world.api}/users/${encodeURIComponent(login)}`
  return {
    login,
    id,
    node_id: toNodeId(type, id),
    avatar_url: `${world.web}/avatars/${id}?v=4`,
    gravatar_id: '',
    url,
    html_url: type === 'Bot' ? `${world.web}/apps/${login.replace('[bot]', '')}` : `${world.web}/${login}`,
    ...toLinks(url, userLinks),
    type,
    user_view_type: 'public',
    site_admin: false,
  }
}

const roles: Permission[] = ['none', 'read', 'triage', 'write', 'maintain', 'admin']

/** `account`: for whom `permissions` are told. */
export function toRepository(world: World, repository: Repository, account?: Account): Json {
  const { id, name, createdAt, pushedAt } = repository
  const fullName = toFullName(repository)
  const [url, html] = [`${world.api}/repos/${fullName}`, `${world.web}/${fullName}`]
  const open = [...repository.threads.values()].filter(({ state }) => state === 'open').length
  const rank = roles.indexOf(account ? toPermission(repository, account) : 'read')
  return {
    id,
    node_id: toNodeId('Repository', id),
    name,
    full_name: fullName,
    private: repository.private,
    owner: toUser(world, repository.owner),
    html_url: html,
    description: null,
    fork: repository.fork,
    url,
    ...toLinks(url, repositoryLinks),
    created_at: createdAt,
    updated_at: pushedAt,
    pushed_at: pushedAt,
    git_url: html.replace(/^https?/, 'git') + '.git',
    ssh_url: `git@github.invalid:${fullName}.git`,
    clone_url: `${html}.git`,
    svn_url: html,
    homepage: null,
    size: 0,
    stargazers_count: 0,
    watchers_count: 0,
    language: null,
    has_issues: true,
    has_projects: true,
    has_downloads: true,
    has_wiki: true,
    has_pages: false,
    has_discussions: false,
    forks_count: 0,
    mirror_url: null,
    archived: repository.archived,
    disabled: false,
    open_issues_count: open,
    license: null,
    allow_forking: true,
    is_template: false,
    web_commit_signoff_required: false,
    topics: [],
    custom_properties: {},
    visibility: repository.private ? 'private' : 'public',
    forks: 0,
    open_issues: open,
    watchers: 0,
    default_branch: repository.defaultBranch,
    permissions: { admin: rank >= 5, maintain: rank >= 4, push: rank >= 3, triage: rank >= 2, pull: rank >= 1 },
  }
}

export function toInstallation(world: World, installation: Installation): Json {
  const { id, account, selection, permissions, createdAt, suspendedAt } = installation
  return {
    id,
    client_id: world.app.clientId,
    account: toUser(world, account),
    repository_selection: selection,
    access_tokens_url: `${world.api}/app/installations/${id}/access_tokens`,
    repositories_url: `${world.api}/installation/repositories`,
    html_url: `${world.web}/settings/installations/${id}`,
    app_id: world.app.id,
    app_slug: world.app.slug,
    target_id: account.id,
    target_type: account.type,
    permissions,
    events: ['issue_comment', 'issues', 'pull_request', 'pull_request_review_comment', 'push', 'repository', 'public'],
    created_at: createdAt,
    updated_at: suspendedAt ?? createdAt,
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: suspendedAt ? toUser(world, account) : null,
    suspended_at: suspendedAt,
  }
}

/** The App as it stands on what it wrote. */
export function toApp(world: World): Json {
  const { id, slug, name, clientId } = world.app
  return {
    id,
    client_id: clientId,
    slug,
    node_id: toNodeId('App', id),
    owner: toUser(world, world.account('nura-makers', 'Organization')),
    name,
    description: '',
    external_url: world.web,
    html_url: `${world.web}/apps/${slug}`,
    created_at: '2024-01-01T00:00:00Z',
    updated_at: '2024-01-01T00:00:00Z',
    permissions: { contents: 'read', issues: 'write', metadata: 'read', pull_requests: 'write' },
    events: ['issue_comment', 'pull_request', 'push'],
  }
}

/** The reference to an installation that stands on the events of its repositories. */
export function toInstallationMark(world: World, repository: Repository): Json {
  const installation = findInstallationOf(world, repository)
  return installation ? { installation: { id: installation.id, node_id: toNodeId('Integration', installation.id) } } : {}
}
