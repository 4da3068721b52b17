import type { PassageRow } from './overlay.ts'
import type { Passage } from './passage.ts'

/** A row as a passage. What is no fact of its document, such as a title that it has none of, is left out. */
export function toPassage(row: PassageRow, { n, score, legs }: Pick<Passage, 'n' | 'score' | 'legs'>): Passage {
  const { chunkId, repositoryId, repository, path, startLine, endLine, sha, content, contentType, language, scope, title, url, changedAt } = row
  return {
    n, chunkId, repositoryId, repository, path, startLine, endLine, sha, content, contentType, language, scope, score,
    ...(title ? { title } : {}),
    ...(url ? { url } : {}),
    ...(changedAt ? { changedAt } : {}),
    legs,
  }
}
