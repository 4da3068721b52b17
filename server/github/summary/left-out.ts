import type { FileFacts } from './facts.ts'
import { code, grouped, list } from './markdown.ts'
import type { LeftReason } from './read-changes.ts'

/** One and several files of a reason, as people say it. */
const words: Partial<Record<LeftReason, [one: string, several: string]>> = {
  'lock-file': ['lock file', 'lock files'],
  vendored: ['vendored file', 'vendored files'],
  generated: ['generated file', 'generated files'],
  minified: ['minified file', 'minified files'],
  binary: ['binary file', 'binary files'],
  snapshot: ['snapshot', 'snapshots'],
  'source-map': ['source map', 'source maps'],
  data: ['data file', 'data files'],
  symlink: ['symbolic link', 'symbolic links'],
  submodule: ['submodule', 'submodules'],
  'lfs-pointer': ['file kept in LFS', 'files kept in LFS'],
  'secret-file': ['file that holds secrets by its name', 'files that hold secrets by their names'],
  'too-large': ['file too large to read', 'files too large to read'],
  'left-out': ['file left out by .nura.yml', 'files left out by .nura.yml'],
  'no-diff': ['file of which GitHub gives no diff', 'files of which GitHub gives no diff'],
  rewritten: ['file with too many changes to compare', 'files with too many changes to compare'],
  'beyond-limit': ['file beyond what one summary reads', 'files beyond what one summary reads'],
}

/** `2 lock files, 1 binary file`; empty when everything was read. */
export function leftOut(files: FileFacts[]): string {
  return list(byReason(files).map(([reason, paths]) => named(reason, paths.length)))
}

/** Which files were not read and why, folded away. */
export function describeLeft(files: FileFacts[], mostNames: number): string[] {
  const reasons = byReason(files)
  if (reasons.length === 0 || mostNames === 0) return []
  const total = reasons.reduce((sum, [, paths]) => sum + paths.length, 0)
  const lines = reasons.map(([reason, paths]) => {
    const names = paths.slice(0, mostNames).map((path) => code(path, 90))
    const rest = paths.length - names.length
    return `- ${named(reason, paths.length)}: ${names.join(', ')}${rest > 0 ? ` and ${grouped(rest)} more` : ''}`
  })
  return [`<details><summary>${grouped(total)} ${total === 1 ? 'file was' : 'files were'} not read</summary>\n\n${lines.join('\n')}\n</details>`]
}

function byReason(files: FileFacts[]): [LeftReason, string[]][] {
  const reasons = new Map<LeftReason, string[]>()
  for (const { left, path } of files) if (left !== null) reasons.set(left, [...(reasons.get(left) ?? []), path])
  return [...reasons].toSorted((a, b) => b[1].length - a[1].length)
}

function named(reason: LeftReason, number: number): string {
  const [one, several] = words[reason] ?? [`file (${reason})`, `files (${reason})`]
  return `${grouped(number)} ${number === 1 ? one : several}`
}
