import { fileRole } from '../../retrieval/file-role.ts'
import type { Passage } from '../../retrieval/passage.ts'
import type { Relation } from '../../agents/evidence.ts'
import { importing } from './edges.ts'
import { quote, span } from './prose.ts'
import type { Reading } from './reading.ts'
import { rankSections } from './subject.ts'
import { cite, sectionAt, series } from './wording.ts'
import type { Draft } from './wording.ts'

type Edge = { from: string; to: string; example: { passage: Passage; path: string; target: string; line: number }; count: number }

/** Documents that tell how the whole is built. */
const structural = /\b(?:architecture|structure|layout|organi[sz]ation|overview|components|modules|packages|map|how it works)\b/i

/** Folders and the edges between them, with the recorded words on them first where there are any. */
export function writeModules(reading: Reading): Draft | undefined {
  const sections = rankSections(reading).filter(({ told }) => told.length > 0)
  const section = reading.isGeneral ? sections.find(({ passage }) => structural.test(`${passage.path} ${passage.scope.join(' ')}`)) : sections.find(({ score }) => score > 2)
  const edges = edgesBetweenFolders(reading)
  const folders = foldersOf(reading)
  if (!section && edges.length === 0 && folders.length === 0) return undefined
  const lead: string[] = []
  if (section) lead.push(`${sectionAt(section.passage)} says: ${quote(section.told.slice(0, 2).map(({ text }) => text).join(' '), 360)} ${cite(section.passage)}.`)
  if (folders.length > 0) {
    const named = folders.slice(0, 4).map(({ folder, passages }) => `${span(folder)} ${cite(...passages.slice(0, 2))}`)
    lead.push(`${section ? 'In code it' : reading.isGeneral ? 'The code' : 'It'} lies in ${folders.length === 1 ? 'one folder' : `${Math.min(4, folders.length)} folders`}: ${series(named)}.`)
  }
  const list = edges.slice(0, 5).map(({ from, to, example, count }) => {
    const times = count > 1 ? `, and ${count - 1} more` : ''
    return `${span(from)} → ${span(to)}: ${span(example.path)} (line ${example.line}) imports ${span(example.target)} ${cite(example.passage)}${times}`
  })
  return { lead, list, snippets: [] }
}

/** Imports that cross from one folder to another, the most frequent first; each with a line that a passage shows; only those of `file` when it is given. */
export function edgesBetweenFolders(reading: Reading, file?: string): Edge[] {
  const found = new Map<string, Edge>()
  const isImport = ({ kind, from }: Relation) => kind === 'import' || importing.test(reading.lineAt(from, from.line))
  for (const relation of reading.relations.filter(isImport)) {
    const { from, to } = relation
    if (file !== undefined && from.path !== file && to.path !== file) continue
    const [source, target] = [folderOf(from.path), folderOf(to.path)]
    if (source === target || fileRole(from.path) !== 'source' || fileRole(to.path) !== 'source') continue
    const passage = reading.passageAt(from, from.line)
    if (!passage || from.path.startsWith('.')) continue
    const key = `${source}\n${target}`
    const edge = found.get(key)
    if (edge) edge.count++
    else found.set(key, { from: source, to: target, count: 1, example: { passage, path: from.path, target: to.symbol ?? to.path, line: from.line } })
  }
  return [...found.values()].sort((a, b) => b.count - a.count || a.from.localeCompare(b.from))
}

function foldersOf(reading: Reading): { folder: string; passages: Passage[] }[] {
  const found = new Map<string, Passage[]>()
  for (const passage of reading.passages) {
    if (fileRole(passage.path) !== 'source' || passage.path.startsWith('.')) continue
    const folder = folderOf(passage.path)
    found.set(folder, [...(found.get(folder) ?? []), passage])
  }
  return [...found].map(([folder, passages]) => ({ folder, passages })).sort((a, b) => b.passages.length - a.passages.length)
}

/** The folder of a file, at most three levels deep; `/` for the top. */
function folderOf(path: string): string {
  return path.split('/').slice(0, -1).slice(0, 3).join('/') || '/'
}
