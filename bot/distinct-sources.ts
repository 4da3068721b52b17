import type { Citation } from '#server/answer-part.ts'

/** Each source once, in the order it is cited in, whatever numbers name it. */
export function distinctSources(citations: Citation[]): Citation[] {
  const seen = new Set<string>()
  return citations.filter(({ repository, path, startLine, endLine }) => {
    const key = `${repository}:${path}:${startLine}:${endLine}`
    return !seen.has(key) && seen.add(key)
  })
}
