import { createHash } from 'node:crypto'
import { toApp, toNodeId, toRepository, toUser } from './views.ts'
import { toFullName } from './world.ts'
import type { Branches, Comment, Label, Reaction, Repository, Thread, World } from './world.ts'

type Json = Record<string, unknown>

export function toLabel(world: World, repository: Repository, { id, name }: Label): Json {
  const url = `${world.api}/repos/${toFullName(repository)}/labels/${encodeURIComponent(name)}`
  return { id, node_id: toNodeId('Label', id), url, name, color: 'd73a4a', default: false, description: null }
}

const reactionKinds = ['+1', '-1', 'laugh', 'hooray', 'confused', 'heart', 'rocket', 'eyes']

function toReactionCounts(url: string, reactions: Reaction[]): Json {
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
    pull_request: {
      url: `${root}/pulls/${thread.number}`,
      html_url: html,
      diff_url: `${html}.diff`,
      patch_url: `${html}.patch`,
      merged_at: thread.pull.mergedAt,
    },
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
    draft: thread.pull?.draft ?? false,
    ...ofPull,
    reactions: toReactionCounts(url, thread.reactions),
    timeline_url: `${url}/timeline`,
    performed_via_github_app: null,
    state_reason: null,
  }
}

/** What issues and pull requests have in common. */
function toThread(world: World, repository: Repository, thread: Thread): Json {
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
  return {
    label: `${owner.login}:${ref}`,
    ref,
    sha,
    user: toUser(world, owner),
    repo: repository && { ...toRepository(world, repository), ...merges },
  }
}

/** What a pull request tells only when it is asked for alone. */
export function toPull(
  world: World,
  repository: Repository,
  thread: Thread,
  counts: { commits: number; additions: number; deletions: number; files: number },
): Json {
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
