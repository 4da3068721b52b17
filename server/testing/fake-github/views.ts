import { createHash } from 'node:crypto'
import type { Account, Branches, Comment, Installation, Label, Reaction, Repository, Thread, World } from './world.ts'
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

export function toLinks(root: string, table: Record<string, string>): Record<string, string> {
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

/** `account`: for whom `permissions` are told. */
export function toRepository(world: World, repository: Repository, account?: Account): Json {
  const { id, name, createdAt, pushedAt } = repository
  const fullName = toFullName(repository)
  const [url, html] = [`${world.api}/repos/${fullName}`, `${world.web}/${fullName}`]
  const open = [...repository.threads.values()].filter(({ state }) => state === 'open').length
  const permission = account ? toPermission(repository, account) : 'read'
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
    visibility: repository.private ? 'private' : 'public',
    forks: 0,
    open_issues: open,
    watchers: 0,
    default_branch: repository.defaultBranch,
    permissions: { admin: permission === 'admin', maintain: permission === 'admin', push: permission === 'admin' || permission === 'write', triage: permission === 'admin' || permission === 'write', pull: permission !== 'none' },
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

export function toLabel(world: World, repository: Repository, { id, name }: Label): Json {
  const url = `${world.api}/repos/${toFullName(repository)}/labels/${encodeURIComponent(name)}`
  return { id, node_id: toNodeId('Label', id), url, name, color: 'd73a4a', default: false, description: null }
}

const reactionKinds = ['+1', '-1', 'laugh', 'hooray', 'confused', 'heart', 'rocket', 'eyes']

export function toReactionCounts(url: string, reactions: Reaction[]): Json {
  const counts = reactionKinds.map((kind) => [kind, reactions.filter(({ content }) => content === kind).length])
  return { url: `${url}/reactions`, total_count: reactions.length, ...Object.fromEntries(counts) }
}

export function toReaction(world: World, { id, content, user, createdAt }: Reaction): Json {
  return { id, node_id: toNodeId('Reaction', id), user: toUser(world, user), content, created_at: createdAt }
}

export function toIssue(world: World, repository: Repository, thread: Thread): Json {
  const root = `${world.api}/repos/${toFullName(repository)}`
  const url = `${root}/issues/${thread.number}`
  const site = `${world.web}/${toFullName(repository)}`
  const html = `${site}/${thread.pull ? 'pull' : 'issues'}/${thread.number}`
  const ofPull = thread.pull && {
    draft: thread.pull.draft,
    pull_request: { url: `${root}/pulls/${thread.number}`, html_url: html, diff_url: `${html}.diff`, patch_url: `${html}.patch`, merged_at: thread.pull.mergedAt },
  }
  return {
    url,
    repository_url: root,
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: html,
    ...toThread(world, repository, thread),
    comments: thread.comments.length,
    ...ofPull,
    reactions: toReactionCounts(url, thread.reactions),
    timeline_url: `${url}/timeline`,
    performed_via_github_app: null,
    state_reason: null,
  }
}

/** What issues and pull requests have in common. */
export function toThread(world: World, repository: Repository, thread: Thread): Json {
  const { id, number, state, locked, title, body, labels, createdAt, updatedAt, closedAt, association } = thread
  return {
    id,
    node_id: toNodeId(thread.pull ? 'PullRequest' : 'Issue', id),
    number,
    title,
    user: toUser(world, thread.user),
    labels: labels.map((label) => toLabel(world, repository, label)),
    state,
    locked,
    assignee: null,
    assignees: [],
    milestone: null,
    created_at: createdAt,
    updated_at: updatedAt,
    closed_at: closedAt,
    author_association: association,
    active_lock_reason: null,
    body,
  }
}

export function toComment(world: World, repository: Repository, thread: Thread, comment: Comment): Json {
  const root = `${world.api}/repos/${toFullName(repository)}`
  const html = `${world.web}/${toFullName(repository)}/${thread.pull ? 'pull' : 'issues'}/${thread.number}`
  const url = `${root}/issues/comments/${comment.id}`
  return {
    url,
    html_url: `${html}#issuecomment-${comment.id}`,
    issue_url: `${root}/issues/${thread.number}`,
    id: comment.id,
    node_id: toNodeId('IssueComment', comment.id),
    user: toUser(world, comment.user),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    author_association: comment.association,
    body: comment.body,
    reactions: toReactionCounts(url, comment.reactions),
    performed_via_github_app: comment.viaApp ? toApp(world) : null,
  }
}

export function toReviewComment(world: World, repository: Repository, thread: Thread, comment: Comment): Json {
  const review = comment.review!
  const root = `${world.api}/repos/${toFullName(repository)}`
  const url = `${root}/pulls/comments/${comment.id}`
  const pull = `${root}/pulls/${thread.number}`
  const html = `${world.web}/${toFullName(repository)}/pull/${thread.number}#discussion_r${comment.id}`
  return {
    url,
    pull_request_review_id: comment.id + 1,
    id: comment.id,
    node_id: toNodeId('PullRequestReviewComment', comment.id),
    diff_hunk: review.diffHunk,
    path: review.path,
    position: 1,
    original_position: 1,
    commit_id: review.commitId,
    original_commit_id: review.commitId,
    ...(review.rootId === null ? {} : { in_reply_to_id: review.rootId }),
    user: toUser(world, comment.user),
    body: comment.body,
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    html_url: html,
    pull_request_url: pull,
    author_association: comment.association,
    _links: { self: { href: url }, html: { href: html }, pull_request: { href: pull } },
    reactions: toReactionCounts(url, comment.reactions),
    start_line: null,
    original_start_line: null,
    start_side: null,
    line: review.line,
    original_line: review.line,
    side: review.side,
    subject_type: 'line',
  }
}

/** A pull request as lists and the events of its comments show it; `toPull` adds what only it alone tells. */
export function toPullInList(world: World, repository: Repository, thread: Thread): Json {
  const pull = thread.pull!
  const root = `${world.api}/repos/${toFullName(repository)}`
  const url = `${root}/pulls/${thread.number}`
  const html = `${world.web}/${toFullName(repository)}/pull/${thread.number}`
  const links = {
    issue_url: `${root}/issues/${thread.number}`,
    commits_url: `${url}/commits`,
    review_comments_url: `${url}/comments`,
    review_comment_url: `${root}/pulls/comments{/number}`,
    comments_url: `${root}/issues/${thread.number}/comments`,
    statuses_url: `${root}/statuses/${pull.head.sha}`,
  }
  const href = Object.fromEntries(Object.entries(links).map(([key, value]) => [key.replace('_url', ''), { href: value }]))
  return {
    url,
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    ...links,
    ...toThread(world, repository, thread),
    merged_at: pull.mergedAt,
    merge_commit_sha: createHash('sha1').update(`${pull.base.sha}${pull.head.sha}`).digest('hex'),
    requested_reviewers: [],
    requested_teams: [],
    head: toBranch(world, pull.head),
    base: toBranch(world, { ...pull.base, owner: repository.owner, repository }),
    _links: { self: { href: url }, html: { href: html }, ...href },
    auto_merge: null,
    draft: pull.draft,
  }
}

function toBranch(world: World, { ref, sha, owner, repository }: Branches['head']): Json {
  const merges = { allow_squash_merge: true, allow_merge_commit: true, allow_rebase_merge: true, delete_branch_on_merge: false }
  return { label: `${owner.login}:${ref}`, ref, sha, user: toUser(world, owner), repo: repository && { ...toRepository(world, repository), ...merges } }
}

/** What a pull request tells only when it is asked for alone. */
export function toPull(world: World, repository: Repository, thread: Thread, counts: { commits: number; additions: number; deletions: number; files: number }): Json {
  const pull = thread.pull!
  return {
    ...toPullInList(world, repository, thread),
    merged: pull.mergedAt !== null,
    mergeable: null,
    rebaseable: null,
    mergeable_state: 'unknown',
    merged_by: null,
    comments: thread.comments.length,
    review_comments: pull.reviewComments.length,
    maintainer_can_modify: false,
    commits: counts.commits,
    additions: counts.additions,
    deletions: counts.deletions,
    changed_files: counts.files,
  }
}

/** The reference to an installation that stands on the events of its repositories. */
export function toInstallationMark(world: World, repository: Repository): Json {
  const installation = findInstallationOf(world, repository)
  return installation ? { installation: { id: installation.id, node_id: toNodeId('Integration', installation.id) } } : {}
}
