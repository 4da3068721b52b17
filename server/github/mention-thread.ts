import type { Octokit } from 'octokit'
import type { ContextMessage } from '../agents/memory.ts'
import { redact } from '../indexing/redact.ts'
import type { Overlay } from '../retrieval/overlay.ts'
import { toVisibleMarkdown } from '../visible-markdown.ts'
import type { MentionEvent } from './mention-event.ts'
import { toOwnerAndRepo } from './owner-and-repo.ts'

/** The conversation that a mention stands in, and the commit that it is about. */
export type MentionThread = {
  /** Oldest first, without secrets. */
  context: ContextMessage[]
  /** The pull request as it stands; null for an issue. */
  pull: { headSha: string; changedFiles: number } | null
  focus: Overlay['focus']
}

const most = { comments: 30, fewest: 20, body: 4_000, text: 2_000, hunk: 3_000, page: 100 }

type Place = { owner: string; repo: string }
type Said = { id: number; body?: string | null; user: { login: string; type?: string } | null }

/** @param trusted whether the asker is: whoever else wrote in the thread is taken to be from outside */
export async function readThread(github: Octokit, event: MentionEvent, trusted: boolean, signal: AbortSignal): Promise<MentionThread> {
  const { owner, repo } = toOwnerAndRepo(event.repository)
  const place = { owner, repo, request: { signal } }
  const isTrusted = (login: string) => trusted && login === event.author.login
  const [opening, pull] = await readOpening(github, place, event)
  const review = event.rootId === null ? null : await readReview(github, place, event.number, event.rootId)
  const before = review ? review.comments : await readComments(github, place, event.number, opening.comments)
  const said = before.filter(({ id, user }) => id < event.commentId && user?.type !== 'Bot').slice(-most.comments)
  const messages = [
    { author: opening.author, text: `${opening.title}\n\n${toVisibleMarkdown(opening.body ?? '').slice(0, most.body)}`.trim() },
    ...(review ? [{ author: 'GitHub', text: `${review.path}${review.line === null ? '' : ` line ${review.line}`}\n${review.hunk.slice(-most.hunk)}` }] : []),
    ...said.map(({ body, user }) => ({ author: user?.login ?? 'ghost', text: toVisibleMarkdown(body ?? '').slice(0, most.text) })),
  ]
  const context = await Promise.all(messages.map(async ({ author, text }) => ({ author, text: (await redact(text)).text, trusted: isTrusted(author) })))
  return { context, pull, focus: review && review.line !== null ? { path: review.path, line: review.line } : null }
}

/** `body` is left out where it is itself what asks. */
type Opening = { title: string; body: string | null; author: string; comments: number }

async function readOpening(github: Octokit, place: Place, { surface, number, commentId }: MentionEvent): Promise<[Opening, MentionThread['pull']]> {
  const isQuestion = commentId === number
  if (surface === 'issue') {
    const { data } = await github.request('GET /repos/{owner}/{repo}/issues/{issue_number}', { ...place, issue_number: number })
    return [{ title: data.title, body: isQuestion ? null : (data.body ?? null), author: data.user?.login ?? 'ghost', comments: data.comments }, null]
  }
  const { data } = await github.request('GET /repos/{owner}/{repo}/pulls/{pull_number}', { ...place, pull_number: number })
  return [{ title: data.title, body: isQuestion ? null : data.body, author: data.user?.login ?? 'ghost', comments: data.comments }, { headSha: data.head.sha, changedFiles: data.changed_files }]
}

/** The newest comments; GitHub lists the oldest first. */
async function readComments(github: Octokit, place: Place, number: number, count: number): Promise<Said[]> {
  const list = async (page: number) => (await github.request('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', { ...place, issue_number: number, per_page: most.page, page })).data as Said[]
  const last = Math.max(1, Math.ceil(count / most.page))
  const newest = await list(last)
  return newest.length < most.fewest && last > 1 ? [...(await list(last - 1)), ...newest] : newest
}

type Review = { path: string; /** As the head has it; null for lines that it does not have. */ line: number | null; hunk: string; comments: Said[] }

async function readReview(github: Octokit, place: Place, number: number, root: number): Promise<Review> {
  const { data: first } = await github.request('GET /repos/{owner}/{repo}/pulls/comments/{comment_id}', { ...place, comment_id: root })
  const { data } = await github.request('GET /repos/{owner}/{repo}/pulls/{pull_number}/comments', { ...place, pull_number: number, sort: 'created', direction: 'desc', per_page: most.page })
  const comments = data.filter(({ in_reply_to_id: of }) => of === root).reverse()
  const isOnHead = first.side !== 'LEFT' && typeof first.line === 'number'
  return { path: first.path, line: isOnHead ? first.line! : null, hunk: first.diff_hunk, comments: [first, ...comments] as Said[] }
}
