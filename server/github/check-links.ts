import type { Octokit } from 'octokit'
import type { TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { chunksAt } from '#db/tenant/chunks-at.ts'
import type { Repository } from '#db/tenant/repository.ts'
import type { Citation } from '../answer-part.ts'
import { overlayChunkAt } from '../retrieval/overlay.ts'
import type { Overlay } from '../retrieval/overlay.ts'
import { toOwnerAndRepo } from './owner-and-repo.ts'

/**
 * The citations whose lines are there at their commit: by the index where it is at that commit, by the overlay where it is
 * of that one, else by GitHub. What cannot be found is dropped. What has a title is no file: its lines are not looked for.
 *
 * @param repositories those that the answer could draw from
 */
export async function checkLinks(
  parts: { tenant: TenantDb; github: Octokit; overlay: Overlay | null; signal: AbortSignal },
  citations: Citation[],
  repositories: Repository[],
): Promise<Citation[]> {
  const checked = await Promise.all(citations.map(async (citation) => ({ citation, holds: citation.title !== undefined || (await holds(parts, citation, repositories)) })))
  return checked.filter((each) => each.holds).map(({ citation }) => citation)
}

async function holds({ tenant, github, overlay, signal }: Parameters<typeof checkLinks>[0], { repository: name, path, startLine, endLine, sha }: Citation, repositories: Repository[]): Promise<boolean> {
  const repository = repositories.find((each) => each.name === name)
  if (!repository || startLine > endLine) return false
  const place = { repositoryId: repository.id, path, line: endLine }
  if (overlay?.sha === sha) return overlayChunkAt(overlay, place) !== undefined
  if (repository.indexedSha === sha) return (await chunksAt(tenant, [place])).length > 0
  return repository.source === 'github' && (await hasLine(github, repository.location, path, sha, endLine, signal))
}

async function hasLine(github: Octokit, location: string, path: string, sha: string, line: number, signal: AbortSignal): Promise<boolean> {
  const { owner, repo } = toOwnerAndRepo(location)
  try {
    const { data } = await github.request('GET /repos/{owner}/{repo}/contents/{path}', { owner, repo, path, ref: sha, request: { signal } })
    if (Array.isArray(data) || !('content' in data) || data.encoding !== 'base64') return false
    const text = Buffer.from(data.content, 'base64').toString('utf8')
    return text.split('\n').length - (text.endsWith('\n') ? 1 : 0) >= line
  } catch (error) {
    if (error instanceof NuraError && error.code === 'github-not-found') return false
    throw error
  }
}
