import type { Evidence } from './evidence.ts'
import type { GraphParts, SearchedRepository } from './graph-state.ts'
import { writeNotFound } from './not-found.ts'

/** That nothing was found, what came closest, and who may know. */
export async function tellNotFound(parts: Pick<GraphParts, 'whoKnows' | 'now'>, evidence: Evidence, repositories: SearchedRepository[]): Promise<string> {
  const known = await parts.whoKnows?.(evidence.passages)
  return [writeNotFound(evidence, repositories, parts.now()), ...(known ? [known] : [])].join('\n\n')
}
