import type { ChangedSymbol } from './changed-symbols.ts'
import { firstPlace } from './facts.ts'
import type { FileFacts, Permalink } from './facts.ts'
import { code, grouped, link, list } from './markdown.ts'

const longestSignature = 110

/** One changed file on one line: its name, and what it adds, changes and removes. */
export function describeFile(file: FileFacts, folder: string, permalink: Permalink, mostSymbols: number): string {
  const { side, line } = firstPlace(file)
  const name = link(code(folder === '' ? file.path : file.path.slice(folder.length + 1)), permalink(file, side, line))
  const what = describeSymbols(file, permalink, mostSymbols)
  return `${name}${moved(file)}${what === '' ? ` ${sizes(file)}` : `: ${what}`}`
}

function moved({ status, oldPath }: FileFacts): string {
  return status === 'renamed' && oldPath !== null ? `, moved from ${code(oldPath, 80)}` : ''
}

function sizes({ status, additions, deletions }: FileFacts): string {
  if (status === 'added') return `is new (+${grouped(additions ?? 0)})`
  return status === 'removed' ? `is removed (−${grouped(deletions ?? 0)})` : `(+${grouped(additions ?? 0)} −${grouped(deletions ?? 0)})`
}

function describeSymbols(file: FileFacts, permalink: Permalink, most: number): string {
  // What others see first; of the rest, as it stands in the file.
  const ranked = file.symbols.toSorted((a, b) => weigh(b) - weigh(a))
  const shown = ranked.slice(0, most)
  if (shown.length === 0) return ''
  const sections = shown.filter(({ kind }) => kind === 'heading')
  const told = (change: ChangedSymbol['change']) => shown.filter((symbol) => symbol.change === change && symbol.kind !== 'heading')
  const address = (symbol: ChangedSymbol) => permalink(file, symbol.change === 'removed' ? 'base' : 'head', symbol.startLine, symbol.endLine)
  const named = (symbol: ChangedSymbol) => link(code(symbol.name, 80), address(symbol))
  const calls = told('changed').map((symbol) => {
    if (symbol.oldSignature === null || symbol.kind === 'constant') return named(symbol)
    const [now, was] = [symbol.signature, symbol.oldSignature].map((signature) => code(bare(signature), longestSignature)) as [string, string]
    return `${link(now, address(symbol))} was ${was}`
  })
  const parts = [
    ...(told('added').length > 0 ? [`new ${list(told('added').map(named))}`] : []),
    ...(calls.length > 0 ? [`changed ${list(calls)}`] : []),
    ...(told('removed').length > 0 ? [`removed ${list(told('removed').map(named))}`] : []),
    ...(sections.length > 0 ? [`${sections.length === 1 ? 'section' : 'sections'} ${list(sections.map(named))}`] : []),
  ]
  const rest = ranked.length - shown.length
  return `${parts.join('; ')}${rest > 0 ? `; ${rest} more` : ''}`
}

function weigh({ exported, oldSignature, change }: ChangedSymbol): number {
  return (exported ? 4 : 0) + (oldSignature === null ? 0 : 2) + (change === 'changed' ? 0 : 1)
}

/** A signature without the words that every declaration begins with. */
function bare(signature: string): string {
  return signature.replace(/^(?:export\s+)?(?:default\s+)?(?:declare\s+)?(?:public\s+|static\s+)*(?:async\s+)?(?:function\b\*?\s*|const\s+|class\s+|def\s+|func\s+|fn\s+)?/, '')
}
