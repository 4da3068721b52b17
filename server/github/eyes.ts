import type { Octokit } from 'octokit'
import { NuraError } from '#db/nura-error.ts'
import type { MentionEvent } from './mention-event.ts'
import type { MentionState } from './mention-state.ts'
import { toOwnerAndRepo } from './owner-and-repo.ts'

/** The reactions of what was written, as the API reaches them. */
type Reactions = { list: string; one: string; parameters: Record<string, string | number> }

/** Shows that somebody was heard. @returns what takes it away again; null when GitHub does not allow it. */
export async function openEyes(github: Octokit, event: MentionEvent, signal: AbortSignal): Promise<MentionState['reactionId']> {
  const { list, parameters } = toReactions(event)
  try {
    const { data } = (await github.request(`POST ${list}`, { ...parameters, content: 'eyes', request: { signal } })) as { data: { id: number } }
    return data.id
  } catch (error) {
    if (!(error instanceof NuraError) || error.retryAt || error.code === 'github-not-installed') throw error
    return error.code === 'github-unavailable' ? 'unknown' : null
  }
}

/** Takes our eyes away. What is gone already, with its comment or by somebody's hand, is no fault. */
export async function closeEyes(github: Octokit, event: MentionEvent, reactionId: MentionState['reactionId'], slug: string): Promise<void> {
  const { list, one, parameters } = toReactions(event)
  const id = reactionId === 'unknown' ? await findEyes(github, list, parameters, slug) : reactionId
  if (id !== null) await github.request(`DELETE ${one}`, { ...parameters, reaction_id: id })
}

async function findEyes(github: Octokit, list: string, parameters: Reactions['parameters'], slug: string): Promise<number | null> {
  const { data } = (await github.request(`GET ${list}`, { ...parameters, content: 'eyes', per_page: 100 })) as { data: { id: number; user: { login: string } | null }[] }
  return data.find(({ user }) => user?.login === `${slug}[bot]`)?.id ?? null
}

function toReactions({ repository, surface, number, commentId }: MentionEvent): Reactions {
  const { owner, repo } = toOwnerAndRepo(repository)
  // The text of an issue or pull request itself: its number stands where a comment's would.
  const isOpening = commentId === number
  const list = isOpening
    ? '/repos/{owner}/{repo}/issues/{issue_number}/reactions'
    : surface === 'review'
      ? '/repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions'
      : '/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions'
  return { list, one: `${list}/{reaction_id}`, parameters: { owner, repo, ...(isOpening ? { issue_number: number } : { comment_id: commentId }) } }
}
