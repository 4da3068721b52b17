import type { Octokit } from 'octokit'
import { NuraError } from '#db/nura-error.ts'
import { hasMarker, withMarker } from './marker.ts'

/** Where a comment goes: an issue or pull request, or with `root` the review thread that this review comment began. */
export type CommentPlace = { owner: string; repo: string; number: number; root?: number | null }

export type OneComment = {
  /** A uuid of this comment alone, kept in the database before the first attempt. */
  marker: string
  /** Markdown without the marker, which is put below it. */
  body: string
  /** Our App: only its comments can be ours. */
  app: { slug: string }
  /** No comment of this marker is older. */
  since: Date
  /** An earlier attempt may have been carried out: looks for its comment first. */
  uncertain?: boolean
  signal?: AbortSignal
}

/** A thread longer than this is looked through no further; by then the comment is older than any attempt of ours. */
const mostPages = 50

/**
 * Writes a comment once. A request whose outcome is not known (502, timeout, dropped connection) is never repeated: the
 * comment is looked for, and only where it is missing may the next attempt, which says `uncertain`, write it.
 *
 * @returns the comment's id
 * @throws NuraError `github-unavailable` when nobody can tell yet whether it is there
 */
export async function postOnce(github: Octokit, at: CommentPlace, comment: OneComment): Promise<number> {
  if (comment.uncertain) {
    const known = await findPosted(github, at, comment)
    if (known !== null) return known
  }
  try {
    return await post(github, at, comment)
  } catch (error) {
    if (!(error instanceof NuraError) || error.code !== 'github-unavailable') throw error
    const known = await findPosted(github, at, comment)
    if (known !== null) return known
    throw error
  }
}

async function post(github: Octokit, { owner, repo, number, root }: CommentPlace, { marker, body, signal }: OneComment): Promise<number> {
  const text = withMarker(body, marker)
  const request = { signal }
  if (root == null) {
    const { data } = await github.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', { owner, repo, issue_number: number, body: text, request })
    return Number(data.id)
  }
  const { data } = await github.request('POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies', {
    owner, repo, pull_number: number, comment_id: root, body: text, request,
  })
  return Number(data.id)
}

/** Writes another text into a comment of ours. @returns false when the comment is gone */
export async function rewrite(github: Octokit, { owner, repo, root }: CommentPlace, id: number, { marker, body, signal }: Pick<OneComment, 'marker' | 'body' | 'signal'>): Promise<boolean> {
  const route = root == null ? 'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}' : 'PATCH /repos/{owner}/{repo}/pulls/comments/{comment_id}'
  try {
    await github.request(route, { owner, repo, comment_id: id, body: withMarker(body, marker), request: { signal } })
    return true
  } catch (error) {
    if (error instanceof NuraError && error.code === 'github-not-found') return false
    throw error
  }
}

type Found = { id: number; body?: string | undefined; user: { login: string; type?: string } | null; performed_via_github_app?: { slug?: string } | null; in_reply_to_id?: number }

/** The comment of this marker that our App wrote, if it is there. */
export async function findPosted(github: Octokit, at: CommentPlace, { marker, app, since, signal }: Omit<OneComment, 'body'>): Promise<number | null> {
  for (let page = 1; page <= mostPages; page++) {
    const comments = await list(github, at, since, page, signal)
    const ours = comments.find((each) => isByApp(app, each) && hasMarker(each.body ?? '', marker) && (at.root == null || each.in_reply_to_id === at.root))
    if (ours) return ours.id
    if (comments.length < 100) return null
  }
  return null
}

async function list(github: Octokit, { owner, repo, number, root }: CommentPlace, since: Date, page: number, signal?: AbortSignal): Promise<Found[]> {
  const query = { owner, repo, since: since.toISOString(), per_page: 100, page, request: { signal } }
  if (root == null) return (await github.request('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', { ...query, issue_number: number })).data as Found[]
  return (await github.request('GET /repos/{owner}/{repo}/pulls/{pull_number}/comments', { ...query, pull_number: number })).data as Found[]
}

/** Anyone may write our marker; nobody else can write as our App. */
export function isByApp(app: { slug: string }, { user, performed_via_github_app: via }: Pick<Found, 'user' | 'performed_via_github_app'>): boolean {
  return via?.slug === app.slug || (user?.type === 'Bot' && user.login === `${app.slug}[bot]`)
}
