import type { FileFacts } from './facts.ts'
import { grouped } from './markdown.ts'

type Counted = Pick<FileFacts, 'status' | 'additions' | 'deletions' | 'left'>

/** `+12 −3`; `at least` that where lines of some file were not counted; null where none were. */
export function lineCounts(files: readonly Counted[]): string | null {
  const sum = (key: 'additions' | 'deletions') => files.reduce((total, file) => total + (file[key] ?? 0), 0)
  const [additions, deletions] = [sum('additions'), sum('deletions')]
  const isPart = files.some(isUncounted)
  if (isPart && additions + deletions === 0) return null
  return `${isPart ? 'at least ' : ''}+${grouped(additions)} −${grouped(deletions)}`
}

/** GitHub counts nothing of what it does not compare. What is binary has no lines, and what only moved changes none. */
function isUncounted({ status, additions, deletions, left }: Counted): boolean {
  if (additions === null || deletions === null) return left !== 'binary'
  return left !== null && left !== 'binary' && status !== 'renamed' && additions + deletions === 0
}
