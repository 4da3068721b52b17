import type { Octokit } from 'octokit'
import { NuraError } from '#db/nura-error.ts'
import type { TenantDb } from '#db/index.ts'
import { savePullRequest } from '#db/tenant/pull-requests.ts'
import type { PullRequest } from '#db/tenant/pull-requests.ts'
import { withMarker } from '../marker.ts'
import { findPosted, postOnce } from '../post-once.ts'
import type { Pull, PullPlace } from './pull.ts'

export type CommentRig = { github: Octokit; at: PullPlace; slug: string; tenant: TenantDb; signal: AbortSignal }

/**
 * Whether our comment may be shown: there is none yet, it stands, or it was deleted once and may come back. Whoever deletes it
 * a second time, or has said so in the settings, sees it no more.
 */
export async function mayShow(rig: CommentRig, row: PullRequest, mayComeBack: boolean): Promise<{ row: PullRequest } | null> {
  if (row.commentId === null || (await stands(rig, row.commentId))) return { row }
  if (!mayComeBack || row.commentGoneSha !== null) return null
  const { repositoryId, number } = row
  return { row: await savePullRequest(rig.tenant, { repositoryId, number, commentId: null, commentGoneSha: row.summarisedSha ?? row.headSha }) }
}

/**
 * Shows a text in the one comment that the row knows, or makes it. Only the row says which comment is ours.
 * @param uncertain an earlier run may have made it without hearing so
 */
export async function showComment({ github, at, slug, tenant, signal }: CommentRig, row: PullRequest, pull: Pick<Pull, 'createdAt'>, body: string, uncertain: boolean): Promise<void> {
  const { repositoryId, number, marker } = row
  const posted = { marker, app: { slug }, since: pull.createdAt, signal }
  let commentId = row.commentId ?? (uncertain ? await findPosted(github, at, posted) : null)
  const isKnown = commentId !== null
  commentId ??= await postOnce(github, at, { ...posted, body })
  if (commentId !== row.commentId) await savePullRequest(tenant, { repositoryId, number, commentId })
  if (!isKnown) return
  try {
    const { owner, repo } = at
    await github.request('PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', { owner, repo, comment_id: commentId, body: withMarker(body, marker), request: { signal } })
  } catch (error) {
    // A person has just deleted it: the next head finds that out, and decides whether it comes back.
    if (!isNotFound(error)) throw error
  }
}

async function stands({ github, at: { owner, repo }, signal }: CommentRig, id: number): Promise<boolean> {
  try {
    await github.request('GET /repos/{owner}/{repo}/issues/comments/{comment_id}', { owner, repo, comment_id: id, request: { signal } })
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof NuraError && error.code === 'github-not-found'
}
