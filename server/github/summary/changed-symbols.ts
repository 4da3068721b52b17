import type { SymbolWrite } from '#db/tenant/write-files.ts'
import { chunkFile } from '../../indexing/chunk.ts'
import { languageOf } from '../../indexing/languages/index.ts'
import { limits } from './limits.ts'
import type { ReadChange } from './read-changes.ts'

/** A definition or heading that a pull request adds, changes or removes. */
export type ChangedSymbol = {
  /** With what encloses it: `Cart.add`. */
  name: string
  kind: string
  change: 'added' | 'changed' | 'removed'
  signature: string
  /** Its signature at the merge base, where that is another one. */
  oldSignature: string | null
  /** Lines at the head; of a removed one, at the merge base. */
  startLine: number
  endLine: number
  /** Others may call it from outside its file. */
  exported: boolean
}

/** The symbols of one file that differ, in the order of the file. Empty where its contents are not at hand. */
export async function changedSymbols(change: ReadChange): Promise<ChangedSymbol[]> {
  const { before, after, path, oldPath, hunks } = change
  if (after === null || hunks.length === 0 || Math.max(after.length, before?.length ?? 0) > limits.outlined) return []
  const now = await symbolsOf(path, after)
  const old = before === null ? null : await symbolsOf(oldPath ?? path, before)
  const lines = hunks.flatMap((hunk) => hunk.lines)
  const added = new Set(lines.flatMap(({ kind, newLine }) => (kind === '+' && newLine !== null ? [newLine] : [])))
  const removed = new Set(lines.flatMap(({ kind, oldLine }) => (kind === '-' && oldLine !== null ? [oldLine] : [])))

  const oldByName = new Map(old?.map((symbol) => [keyOf(symbol), symbol]))
  const found: ChangedSymbol[] = []
  const told = new Set<string>()
  for (const symbol of innermost(now, added)) {
    const was = oldByName.get(keyOf(symbol))
    const isNew = old === null ? isWhole(symbol, added) : !was
    if (was && was.signature === symbol.signature && !touches(symbol, added) && !touches(was, removed)) continue
    told.add(keyOf(symbol))
    found.push(toChanged(symbol, isNew ? 'added' : 'changed', was && was.signature !== symbol.signature ? was.signature : null, path))
  }
  for (const symbol of innermost(old ?? [], removed)) {
    const still = now.find((each) => keyOf(each) === keyOf(symbol))
    if (!still) found.push(toChanged(symbol, 'removed', null, oldPath ?? path))
    // Lines were only taken out of it.
    else if (!told.has(keyOf(symbol))) found.push(toChanged(still, 'changed', null, path))
  }
  return withoutChildren(found).toSorted((a, b) => a.startLine - b.startLine)
}

async function symbolsOf(path: string, text: string): Promise<SymbolWrite[]> {
  return (await chunkFile(path, text)).symbols
}

const nameOf = ({ container, name }: SymbolWrite) => (container && container !== name ? `${container}.${name}` : name)
const keyOf = (symbol: SymbolWrite) => `${symbol.kind} ${nameOf(symbol)}`

const touches = ({ startLine, endLine }: SymbolWrite, lines: Set<number>): boolean => {
  for (let line = startLine; line <= endLine; line++) if (lines.has(line)) return true
  return false
}

function isWhole({ startLine, endLine }: SymbolWrite, lines: Set<number>): boolean {
  for (let line = startLine; line <= endLine; line++) if (!lines.has(line)) return false
  return true
}

/** Of the symbols that changed lines stand in, those that no smaller one explains: a method rather than its class. */
function innermost(symbols: SymbolWrite[], lines: Set<number>): SymbolWrite[] {
  const owners = new Set<SymbolWrite>()
  for (const line of lines) {
    let owner: SymbolWrite | null = null
    for (const symbol of symbols) {
      if (symbol.startLine > line || symbol.endLine < line) continue
      if (!owner || symbol.endLine - symbol.startLine < owner.endLine - owner.startLine) owner = symbol
    }
    if (owner) owners.add(owner)
  }
  return symbols.filter((symbol) => owners.has(symbol))
}

function toChanged(symbol: SymbolWrite, change: ChangedSymbol['change'], oldSignature: string | null, path: string): ChangedSymbol {
  const { kind, signature, startLine, endLine } = symbol
  return { name: kind === 'heading' ? symbol.name : nameOf(symbol), kind, change, signature, oldSignature, startLine, endLine, exported: isExported(symbol, languageOf(path)?.id ?? '') }
}

/** What a new or removed class holds is told by the class. */
function withoutChildren(symbols: ChangedSymbol[]): ChangedSymbol[] {
  const whole = symbols.filter(({ change, kind }) => change !== 'changed' && kind !== 'heading')
  return symbols.filter(
    (symbol) => !whole.some((other) => other !== symbol && other.change === symbol.change && other.startLine <= symbol.startLine && other.endLine >= symbol.endLine && other.name !== symbol.name),
  )
}

const visibility: Record<string, (symbol: SymbolWrite) => boolean> = {
  typescript: isExportedScript,
  tsx: isExportedScript,
  javascript: isExportedScript,
  python: ({ name, container }) => !name.startsWith('_') && !container?.startsWith('_'),
  go: ({ name, container }) => /^\p{Lu}/u.test(name) && (!container || /^\p{Lu}/u.test(container)),
  rust: ({ signature }) => /^pub\b(?!\()/.test(signature),
  java: ({ signature }) => /\bpublic\b/.test(signature),
  csharp: ({ signature }) => /\bpublic\b/.test(signature),
  php: ({ signature }) => !/\b(?:private|protected)\b/.test(signature),
}

function isExportedScript({ signature }: SymbolWrite): boolean {
  return /^export\b/.test(signature)
}

function isExported(symbol: SymbolWrite, language: string): boolean {
  return visibility[language]?.(symbol) ?? false
}
