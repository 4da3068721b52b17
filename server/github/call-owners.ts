import type { Octokit } from 'octokit'
import { z } from 'zod'
import type { TenantDb } from '#db/index.ts'
import { claimCall } from '#db/tenant/answer-calls.ts'
import { answersInThread } from '#db/tenant/answers.ts'
import { toAccounts } from '../agents/code-owners.ts'
import type { MentionEvent } from './mention-event.ts'
import { toOwnerAndRepo } from './owner-and-repo.ts'

export type OwnersCall = {
  event: MentionEvent
  /** Key of the thread that its answers are remembered under. */
  thread: string
  /** The row of the mention: a second run of it calls the same people once. */
  inboxId: string
  /** The asker may write in the repository. */
  mayWrite: boolean
  signal: AbortSignal
}

const Trace = z.object({ whoKnows: z.object({ owners: z.array(z.string()) }) })
const mostCalled = 5

export const callTexts = {
  notYours: 'Only people who can write to this repository, or who opened this thread, can have the owners called.',
  nobody: 'There is nobody to call: the last answer here names no owners.',
  called: 'The owners were called for this already, above.',
}

/**
 * The comment that calls the owners whom the last answer of a thread named because it found nothing: once for each answer,
 * when somebody asks for it who may write here or opened the thread. It is the one comment of ours that mentions people: accounts
 * that the committed CODEOWNERS names, never what a model or a comment wrote.
 */
export async function callOwners(github: Octokit, tenant: TenantDb, { event, thread, inboxId, mayWrite, signal }: OwnersCall): Promise<{ body: string; outcome: string }> {
  if (!mayWrite && !(await isOpener(github, event, signal))) return { body: callTexts.notYours, outcome: 'refused:not-theirs' }
  const [last] = await answersInThread(tenant, thread, 1)
  const trace = Trace.safeParse(last?.trace)
  const owners = last?.abstained && trace.success ? [...new Set(toAccounts(trace.data.whoKnows.owners))].slice(0, mostCalled) : []
  if (!last || owners.length === 0) return { body: callTexts.nobody, outcome: 'ignored:nobody-known' }
  if (!(await claimCall(tenant, last.id, inboxId))) return { body: callTexts.called, outcome: 'ignored:called-already' }
  return { body: `${owners.join(' ')}: \`${event.author.login.replace(/[^\w.[\]-]/g, '')}\` asks for your help here. I found no answer in the sources.`, outcome: 'called-owners' }
}

/** By number, not by login: a login may have changed hands. */
async function isOpener(github: Octokit, { repository, number, author }: MentionEvent, signal: AbortSignal): Promise<boolean> {
  const { owner, repo } = toOwnerAndRepo(repository)
  const { data } = await github.request('GET /repos/{owner}/{repo}/issues/{issue_number}', { owner, repo, issue_number: number, request: { signal } })
  return data.user?.id === author.id
}
