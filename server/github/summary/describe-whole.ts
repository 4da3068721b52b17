import type { FileRole } from '../../retrieval/file-role.ts'
import type { ChangedSymbol } from './changed-symbols.ts'
import type { FileFacts } from './facts.ts'
import { lineCounts } from './line-counts.ts'
import { code, count, list } from './markdown.ts'

const roleNames: Record<FileRole, string> = {
  source: 'source file', test: 'test file', docs: 'document', example: 'example', history: 'changelog', config: 'configuration file', generated: 'generated file', data: 'data file',
}
const most = 3

/** What the change is, in one or two sentences of facts. */
export function describeWhole(files: FileFacts[]): string {
  if (files.length === 0) return 'The head holds the same files as the commit it started from.'
  const symbols = files.filter(({ role }) => role === 'source').flatMap((file) => file.symbols)
  const verbs: [ChangedSymbol['change'], string][] = [['added', 'adds'], ['changed', 'changes'], ['removed', 'removes']]
  const acts = verbs.flatMap(([change, verb]) => {
    const names = symbols.filter((symbol) => symbol.change === change).toSorted((a, b) => Number(b.exported) - Number(a.exported)).map(({ name }) => name)
    return names.length === 0 ? [] : [`${verb} ${list([...names.slice(0, most).map((name) => code(name, 60)), ...(names.length > most ? [`${names.length - most} more`] : [])])}`]
  })
  const counts = lineCounts(files)
  const sizes = counts === null ? '' : ` (${counts})`
  if (acts.length > 0) return `${capital(acts.join('; '))}. ${capital(list(toRoles(files)))} ${files.length === 1 ? 'changes' : 'change'}${sizes}.`
  const moved = files.filter(({ status, hunks }) => status === 'renamed' && hunks.length === 0).length
  if (moved === files.length) return `Moves ${count(moved, 'file')}; their content stays as it is.`
  return `Changes ${list(toRoles(files))}${sizes}.`
}

function toRoles(files: FileFacts[]): string[] {
  const roles = new Map<FileRole, number>()
  for (const { role } of files) roles.set(role, (roles.get(role) ?? 0) + 1)
  const sorted = [...roles].toSorted((a, b) => b[1] - a[1])
  const rest = sorted.slice(most).reduce((sum, [, number]) => sum + number, 0)
  return [...sorted.slice(0, most).map(([role, number]) => count(number, roleNames[role])), ...(rest > 0 ? [count(rest, 'other file')] : [])]
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
