import type { Octokit } from 'octokit'

export type PullPlace = { owner: string; repo: string; number: number }

/** A pull request as GitHub has it at this moment. Its texts are what their author wrote. */
export type Pull = {
  headSha: string
  /** Branch it goes into, and that branch's commit. */
  baseRef: string
  baseSha: string
  isOpen: boolean
  draft: boolean
  labels: string[]
  author: { login: string; isBot: boolean }
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
    labels: data.labels.map(({ name }) => name),
    author: { login: data.user?.login ?? 'ghost', isBot: data.user?.type === 'Bot' },
    title: data.title,
    body: data.body ?? '',
    changedFiles: data.changed_files,
    createdAt: new Date(data.created_at),
  }
}

/** A label by which people say that they want no summary. */
export const skipLabel = 'nura:skip'

/** Whether this pull request is one that Nura summarises at all. */
export function isWanted(pull: Pull): boolean {
  return pull.isOpen && !pull.draft && !isSkipped(pull)
}

export function isSkipped(pull: Pick<Pull, 'labels' | 'author'>): boolean {
  return pull.author.isBot || pull.labels.includes(skipLabel)
}
