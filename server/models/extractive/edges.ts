import { fileRole } from '../../retrieval/file-role.ts'
import type { FileRole } from '../../retrieval/file-role.ts'
import type { Passage } from '../../retrieval/passage.ts'
import { plain } from './prose.ts'
import { sameFile } from './reading.ts'
import type { Definition, Reading } from './reading.ts'

/** A line that names a definition, as a passage shows it. */
export type Use = { passage: Passage; path: string; line: number; symbol: string | null; role: FileRole; kind: 'import' | 'call' | 'reference' | 'test' }

/** A line that only makes a name known. */
export const importing = /^\s*(?:import\b|from\s+\S+\s+import\b|export\s+(?:\*|\{)|(?:const|let|var)\s.*\brequire\(|use\s+[\w:]+|#include|using\s)/

/** The lines that use a definition, of relations whose line is in a passage and holds the name; nearest first. */
export function usesOf(reading: Reading, definition: Definition): Use[] {
  const name = whole(definition.name)
  const found = new Map<string, Use>()
  for (const { kind, from } of namings(reading, definition)) {
    const passage = reading.passageAt(from, from.line)
    if (!passage || !name.test(reading.lineAt(from, from.line))) continue
    found.set(`${from.repositoryId}\n${from.path}\n${from.line}`, { passage, path: from.path, line: from.line, symbol: from.symbol, role: fileRole(from.path), kind: importing.test(reading.lineAt(from, from.line)) ? 'import' : kind })
  }
  return [...found.values()].sort((a, b) => order(a) - order(b) || a.passage.n - b.passage.n || a.line - b.line)
}

/** Lines of programs outside tests that the index knows to use a definition, whether or not a passage shows them. */
export function knownUses(reading: Reading, definition: Definition): { path: string; line: number }[] {
  const found = new Map<string, { path: string; line: number }>()
  for (const { kind, from, to } of namings(reading, definition)) {
    if (to.line !== definition.startLine) continue
    // An import names it too, and stands in no definition.
    if (kind !== 'call' && (kind !== 'reference' || from.symbol === null)) continue
    if (fileRole(from.path) === 'source' || fileRole(from.path) === 'config') found.set(`${from.repositoryId}\n${from.path}\n${from.line}`, from)
  }
  return [...found.values()]
}

/** The relations that lead to a definition from outside of it. */
function namings(reading: Reading, definition: Definition): Reading['relations'] {
  const isOwn = (place: Reading['relations'][number]['from']) => sameFile(place, definition) && place.line >= definition.startLine && place.line <= definition.endLine
  return reading.relations.filter(({ from, to }) => to.symbol === definition.name && sameFile(to, definition) && !isOwn(from))
}

function order(use: Use): number {
  const roles: Partial<Record<FileRole, number>> = { source: 0, config: 1, example: 2, docs: 2, test: 3 }
  return (roles[use.role] ?? 4) * 10 + (use.kind === 'import' ? 5 : 0)
}

/** A definition that another one names on a line of its own. */
export type Call = { line: number; passage: Passage; target: Definition }

const callable = new Set(['function', 'method', 'class', 'constructor', 'struct', 'macro'])

/** What a definition calls, in the order of its lines, each target once. */
export function callsOf(reading: Reading, definition: Definition): Call[] {
  const found = new Map<Definition, Call>()
  for (const { kind, from, to } of reading.relations) {
    if ((kind !== 'call' && kind !== 'reference') || !to.symbol || !sameFile(from, definition)) continue
    if (from.line < definition.startLine || from.line > definition.endLine) continue
    const target = reading.definitions.find((each) => sameFile(each, to) && each.name === to.symbol && each.startLine === to.line)
      ?? reading.definitions.find((each) => sameFile(each, to) && each.name === to.symbol)
    const passage = reading.passageAt(from, from.line)
    if (!target || target === definition || !callable.has(target.kind) || target.role === 'test' || isInside(target, definition) || !passage) continue
    if (!names(target, reading.lineAt(from, from.line))) continue
    const before = found.get(target)
    if (!before || before.line > from.line) found.set(target, { line: from.line, passage, target })
  }
  const calls = [...found.values()].sort((a, b) => a.line - b.line)
  return calls.filter((call, at) => calls.findIndex((other) => other.line === call.line && other.target.name === call.target.name) === at)
}

/** A test that names something: its title as it is written, and where. */
export type TestCase = { passage: Passage; path: string; line: number; title: string | null }

const titles = /(?:\b(?:it|test|describe|context|scenario)(?:\.\w+)*(?:\([^)'"`]*\))?\(\s*(['"`])(.+?)\1)|\bdef\s+(test\w*)|\bfunc\s+((?:Test|Benchmark|Example)\w+)|\bfn\s+(test\w*)|\bvoid\s+(\w*[tT]est\w*)/

/** Tests among the passages that name a definition, one a title. */
export function testsOf(reading: Reading, name: string, uses: Use[] = []): TestCase[] {
  const found = new Map<string, TestCase>()
  const add = (passage: Passage, line: number) => {
    const test = titleAbove(passage, line)
    const key = `${passage.path}\n${test?.title ?? ''}`
    if (!found.has(key)) found.set(key, { passage, path: passage.path, line: test?.line ?? line, title: test?.title ?? null })
  }
  for (const use of uses) if (use.role === 'test' && use.kind !== 'import') add(use.passage, use.line)
  for (const passage of reading.passages) {
    if (fileRole(passage.path) !== 'test') continue
    for (const [at, line] of passage.content.split('\n').entries()) if (whole(name).test(line) && !/^\s*(?:import|from|const .*require)\b/.test(line)) add(passage, passage.startLine + at)
  }
  return [...found.values()].filter((test, at, all) => test.title !== null || !all.some((other, place) => place !== at && other.path === test.path))
}

/** The title of the test that a line of a passage stands in. */
function titleAbove(passage: Passage, line: number): { title: string; line: number } | undefined {
  const lines = passage.content.split('\n')
  for (let at = line - passage.startLine; at >= 0; at--) {
    const match = titles.exec(lines[at] ?? '')
    if (match) {
      const written = match[2] ?? match[3] ?? match[4] ?? match[5] ?? match[6]!
      return { title: match[2] ? plain(written) : written, line: passage.startLine + at }
    }
  }
  return undefined
}

function isInside(inner: Definition, outer: Definition): boolean {
  return sameFile(inner, outer) && inner.startLine >= outer.startLine && inner.endLine <= outer.endLine
}

/** Whether a line calls a definition: a function by its bare name or through its file, a method on something, a class by making one. */
function names(target: Definition, line: string): boolean {
  const name = RegExp.escape(target.name)
  if (target.kind === 'method') return new RegExp(`\\.\\s*${name}\\s*(?:<[^>]*>)?\\(`).test(line)
  if (target.kind === 'function' || target.kind === 'macro') {
    const call = new RegExp(`(?:([\\w$]+)\\s*(?:\\.|::)\\s*)?(?<![\\w$])${name}\\s*(?:<[^>]*>)?!?\\(`).exec(line)
    if (call) return call[1] === undefined || target.path.split(/[/.]/).includes(call[1])
    return new RegExp(`[(,=]\\s*${name}\\s*[,)]`).test(line)
  }
  return new RegExp(`\\bnew\\s+${name}\\b|(?<![\\w$*\\]])${name}\\s*(?:<[^>]*>)?[({]`).test(line)
}

/** Matches a name as a whole word. */
export function whole(name: string): RegExp {
  return new RegExp(`(?<![\\p{L}\\p{N}_$])${RegExp.escape(name)}(?![\\p{L}\\p{N}_$])`, 'u')
}
