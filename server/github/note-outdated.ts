import type { Octokit } from 'octokit'
import { z } from 'zod'
import type { TenantDb } from '#db/index.ts'
import type { InboxRow } from '#db/shared/inbox.ts'
import { findRepositoryByExternalId } from '#db/tenant/repositories.ts'
import { githubStatusOf } from './api-error.ts'
import type { GithubApp } from './app.ts'
import { hasMarker, withMarker } from './marker.ts'
import { MentionEvent } from './mention-event.ts'
import { toOwnerAndRepo } from './owner-and-repo.ts'
import { isByApp } from './post-once.ts'

/** What the delivery of an answer on GitHub keeps of its comment. */
const Comment = z.object({ commentId: z.int(), marker: z.string() })

/**
 * Says in our comment that a source of its answer has changed: its text stays, whoever may have edited it, and gets one line
 * more. A comment that is gone, or not ours any more, is left alone. Doing it again changes nothing.
 */
export async function noteOutdated(github: GithubApp, tenant: TenantDb, row: InboxRow, sha: string, signal: AbortSignal): Promise<void> {
  const [event, comment] = [MentionEvent.safeParse(row.payload), Comment.safeParse(row.delivery)]
  if (!event.success || !comment.success) return
  const repository = await findRepositoryByExternalId(tenant, event.data.externalId)
  if (!repository || repository.state === 'forgetting' || repository.installationId == null) return
  const { owner, repo } = toOwnerAndRepo(repository.location)
  const { commentId, marker } = comment.data
  const place = { owner, repo, comment_id: commentId, isReview: event.data.surface === 'review' }
  const octokit = github.as(repository.installationId)
  const found = await readComment(octokit, place, signal)
  if (!found || !isByApp(await github.identity(signal), found) || !hasMarker(found.body ?? '', marker)) return
  const body = withMarker(toOutdated(withMarkerRemoved(found.body ?? ''), sha), marker)
  if (body !== found.body) await writeComment(octokit, place, body, signal)
}

const line = /^_Source changed in `[0-9a-f]{7}`\.[^\n]*_$/m

function toOutdated(text: string, sha: string): string {
  const note = `_Source changed in \`${sha.slice(0, 7)}\`. Mention me with "re-check" for an answer from what is there now._`
  return line.test(text) ? text.replace(line, note) : `${text.trimEnd()}\n\n${note}`
}

function withMarkerRemoved(body: string): string {
  return body.trimEnd().replace(/<!-- nura:[^>]*-->$/, '').trimEnd()
}

type CommentAt = { owner: string; repo: string; comment_id: number; isReview: boolean }
type FoundComment = { body?: string | undefined; user: { login: string; type?: string } | null; performed_via_github_app?: { slug?: string } | null }

async function readComment(octokit: Octokit, { isReview, ...at }: CommentAt, signal: AbortSignal): Promise<FoundComment | null> {
  const request = { signal }
  try {
    if (isReview) return (await octokit.rest.pulls.getReviewComment({ ...at, request })).data as FoundComment
    return (await octokit.rest.issues.getComment({ ...at, request })).data as FoundComment
  } catch (error) {
    if (githubStatusOf(error) === 404) return null
    throw error
  }
}

async function writeComment(octokit: Octokit, { isReview, ...at }: CommentAt, body: string, signal: AbortSignal): Promise<void> {
  const request = { signal }
  if (isReview) await octokit.rest.pulls.updateReviewComment({ ...at, body, request })
  else await octokit.rest.issues.updateComment({ ...at, body, request })
}
