import type { Octokit } from 'octokit'
import { isSkipped } from '../read-delivery.ts'

export type PullPlace = { owner: string; repo: string; number: number }

/** A pull request as GitHub has it at this moment. Its texts are what their author wrote. */
export type Pull = {
  headSha: string
  /** Branch it goes into, and that branch's commit. */
  baseRef: string
  baseSha: string
  isOpen: boolean
  draft: boolean
  /** A label says that nobody wants a summary, or a bot opened it. */
  skipped: boolean
  /** Login. */
  author: string
  title: string
  body: string
  changedFiles: number
  createdAt: Date
}

/** @throws NuraError `github-not-found` */
export async function readPull(github: Octokit, { owner, repo, number }: PullPlace, signal: AbortSignal): Promise<Pull> {
  const { data } = await github.request('GET /repos/{owner}/{repo}/pulls/{pull_number}', { owner, repo, pull_number: number, request: { signal } })
  return {
    headSha: data.head.sha,
    baseRef: data.base.ref,
    baseSha: data.base.sha,
    isOpen: data.state === 'open' && !data.merged,
    draft: data.draft === true,
    skipped: isSkipped(data),
    author: data.user?.login ?? 'ghost',
    title: data.title,
    body: data.body ?? '',
    changedFiles: data.changed_files,
    createdAt: new Date(data.created_at),
  }
}

/** Whether this pull request is one that Nura summarises at all. */
export function isWanted(pull: Pull): boolean {
  return pull.isOpen && !pull.draft && !pull.skipped
}
