import type { Passage } from '../../retrieval/passage.ts'
import { tokens } from '../../tokens.ts'
import { knownUses } from './edges.ts'
import { isDocument, paragraphs } from './paragraphs.ts'
import type { Paragraph } from './paragraphs.ts'
import { docSentences } from './prose.ts'
import type { Definition, Reading } from './reading.ts'
import { blockOf } from './snippet.ts'

/** What an answer is about: a definition in code, or the paragraphs of a section of a document. */
export type Subject =
  | { kind: 'definition'; definition: Definition; score: number; firm: boolean }
  | ({ kind: 'section' } & Section)

/** Kinds that are seldom what a question is about when something larger matches as well. */
const kindWeight: Record<string, number> = { heading: -2, constant: -0.15, variable: -0.15, type: -0.05, module: -0.2, property: -0.2, field: -0.3 }

/** Definitions that the question may be about, best first. */
export function rankDefinitions(reading: Reading): { definition: Definition; score: number; firm: boolean }[] {
  return reading.definitions
    .filter((definition) => definition.kind !== 'heading')
    .map((definition) => ({ definition, ...scoreDefinition(reading, definition) }))
    .sort((a, b) => b.score - a.score || a.definition.passage.n - b.definition.passage.n || a.definition.startLine - b.definition.startLine)
}

function scoreDefinition(reading: Reading, definition: Definition): { score: number; firm: boolean } {
  const { query } = reading
  const { name, container, doc, signature, path, role, passage, startLine, endLine } = definition
  const named = isNamed(reading, definition)
  const parts = tokens(name)
  const precision = parts.filter((part) => reading.terms.includes(part)).length / Math.max(1, parts.length)
  const said = withoutExamples(docSentences(doc).join(' '))
  const body = linesOf(passage, startLine, endLine)
  let score =
    (named ? 4 : 0) +
    2.2 * reading.coverage(`${name} ${container ?? ''}`) * (0.4 + 0.6 * precision) +
    1.5 * reading.coverage(said) +
    0.5 * reading.coverage(signature) +
    0.5 * reading.coverage(path) +
    1.1 * reading.coverage(body) * Math.min(1, 40 / Math.max(1, endLine - startLine)) +
    2.2 * reading.standing(passage) +
    (said ? 0.25 : 0) +
    (kindWeight[definition.kind] ?? 0)
  if (query.names.length > 0 && !named) score -= 0.5
  if (query.paths.some((asked) => path.endsWith(asked))) score += 1.5
  if (role === 'test' && !query.asksFor.tests) score -= 1.6
  if (role === 'example' && !query.asksFor.examples) score -= 0.8
  if (reading.shape === 'flow' && /^(?:constant|variable|type|property|field)$/.test(definition.kind)) score -= 0.8
  if (role === 'test' && reading.shape === 'howto') score -= 3
  // Of several things of one name, who uses it is asked of the one that is used most.
  if (reading.shape === 'usage') score += (named ? 1.2 : 0.1) * Math.min(3, Math.log2(1 + knownUses(reading, definition).length))
  if (role === 'generated' || role === 'history') score -= 1
  if (endLine === startLine && definition.kind !== 'type') score -= definition.kind === 'method' ? 0.5 : 0.15
  const firm = named || reading.coverage(`${name} ${container ?? ''} ${said} ${signature} ${path}`) >= 0.85
  return { score, firm }
}

/** What a comment quotes is an example of something, not what it says. */
function withoutExamples(text: string): string {
  return text.replace(/«[^»]*»|“[^”]*”|"[^"]*"/g, ' ')
}

/** True when the question writes this definition's name, with its container if it gives one. */
export function isNamed(reading: Reading, definition: { name: string; container: string | null }): boolean {
  const { names, containers } = reading.query
  const lower = definition.name.toLowerCase()
  if (names.includes(lower)) {
    const held = (each: { container: string | null }) => containers.includes((each.container ?? '').toLowerCase().split('.').at(-1)!)
    const known = reading.definitions.some((each) => each.name.toLowerCase() === lower && held(each))
    return !known || held(definition)
  }
  return new RegExp(`(?<![\\w$])${RegExp.escape(definition.name)}(?![\\w$])`).test(reading.question) && /\p{Lu}|_|\d/u.test(definition.name.slice(1))
}

/** Sections of documents that the question may be about, best first, each with the paragraphs that say most about it. */
export function rankSections(reading: Reading): Section[] {
  return reading.passages.filter((passage) => isDocument(passage)).map((passage) => toSection(reading, passage)).sort((a, b) => b.score - a.score || a.passage.n - b.passage.n)
}

/** A section of a document and how well it answers. `told` holds its paragraphs that say something of the question, best first. */
export type Section = { passage: Passage; told: Paragraph[]; /** It holds code that shows how. */ shows: boolean; score: number; firm: boolean }

function toSection(reading: Reading, passage: Passage): Section {
  const worth = paragraphs(passage).map((paragraph, at) => ({ paragraph, worth: reading.coverage(paragraph.text) + (at === 0 ? 0.15 : 0) }))
  const told = worth.toSorted((a, b) => b.worth - a.worth)
  const heading = passage.scope.join(' ')
  const history = /(?:^|\/)(?:change|history|release|news)/i.test(passage.path) && !reading.query.asksFor.history
  const block = reading.shape === 'howto' ? blockOf(reading, passage) : undefined
  const shown = block ? reading.coverage(linesOf(passage, block.from, block.to)) : -1
  const shows = Math.max(shown, block ? reading.coverage(passage.scope.at(-1) ?? '') : 0) >= 0.5
  const score =
    1.3 * reading.coverage(heading) +
    0.7 * reading.coverage(passage.scope.at(-1) ?? '') +
    1.6 * Math.max(told[0]?.worth ?? -1, shown) +
    0.4 * reading.coverage(passage.path) +
    2.2 * reading.standing(passage) +
    (shows ? 0.9 : 0) -
    (history ? 2 : 0)
  const firm = reading.coverage(`${heading} ${told[0]?.paragraph.text ?? ''}`) >= 0.8
  return { passage, told: told.filter((each) => each.worth > 0.2).map(({ paragraph }) => paragraph), shows, score, firm }
}

/** The one thing that the answer begins with; a document has to be the better by `lean` to be it. */
export function chooseSubject(reading: Reading, lean: number): Subject | undefined {
  const definition = rankDefinitions(reading)[0]
  const section = rankSections(reading).find(({ told, shows }) => told.length > 0 || shows)
  // A definition that holds little of what was asked gets no favour for being code.
  const favour = definition?.firm ? lean : Math.min(lean, 0.5)
  if (definition && (!section || definition.score + favour >= section.score)) return { kind: 'definition', ...definition }
  return section ? { kind: 'section', ...section } : undefined
}

export function linesOf(passage: Passage, from: number, to: number): string {
  return passage.content.split('\n').slice(Math.max(0, from - passage.startLine), to - passage.startLine + 1).join('\n')
}
