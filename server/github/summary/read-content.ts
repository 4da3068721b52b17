import type { Octokit } from 'octokit'
import { NuraError } from '#db/nura-error.ts'
import { readText } from '../../sources/skip.ts'
import type { SkipReason } from '../../sources/skip.ts'
import type { PullPlace } from './pull.ts'

export type Content = { text: string; skip: null } | { text: null; skip: SkipReason }

/** One file at a commit. GitHub gives no content above 1 MB here, so that no file can fill the memory. */
export async function readContent(github: Octokit, { owner, repo }: PullPlace, path: string, ref: string, signal: AbortSignal): Promise<Content> {
  try {
    const { data } = await github.request('GET /repos/{owner}/{repo}/contents/{path}', { owner, repo, path, ref, request: { signal } })
    if (Array.isArray(data) || data.type === 'submodule') return { text: null, skip: 'submodule' }
    if (data.type === 'symlink') return { text: null, skip: 'symlink' }
    if (!('content' in data) || data.encoding !== 'base64') return { text: null, skip: 'too-large' }
    return readText(path, Buffer.from(data.content, 'base64'))
  } catch (error) {
    if (error instanceof NuraError && (error.code === 'github-not-found' || error.code === 'github-forbidden')) return { text: null, skip: 'too-large' }
    throw error
  }
}
