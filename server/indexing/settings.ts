import { LineCounter, isAlias, isMap, isScalar, parseDocument, visit } from 'yaml'
import type { Document, Node } from 'yaml'
import { z } from 'zod'
import type { SkipReason } from '../sources/skip.ts'
import { matchesGlob, toGlob } from './glob.ts'

/** Where a repository says how it wants to be treated. Only the committed file of the default branch counts. */
export const settingsPath = '.nura.yml'
/** Bytes above which the file is not read at all. */
export const longestSettings = 64 * 1024

/** Lines and brackets beyond what a person writes in this file: a parser's work grows faster than they do. */
const screens = { line: 1_000, brackets: 100 }
const most = { globs: 100, globLength: 200, sources: 50, faults: 5 }

const Glob = z
  .string('is not text: put it in quotes')
  .max(most.globLength, `is longer than ${most.globLength} characters`)
  .superRefine((glob, context) => {
    const fault = toGlobFault(glob)
    if (fault !== null) context.addIssue({ code: 'custom', message: fault })
  })
const globs = z.array(Glob, 'must be a list of globs, one a line, such as "- docs/old/**"').max(most.globs, `has more than ${most.globs} globs; name folders instead of files`)
const flag = z.boolean('must be true or false')

const Settings = z.object({
  /** Only these files are indexed; null: all. */
  include: globs.min(1, 'is empty: name what is to be indexed, or leave the key out to index everything').nullable().default(null),
  /** Files that are not indexed. */
  ignore: globs.default([]),
  /** Whether pull requests get a summary; with globs, of these files alone. */
  summarise: z.union([z.boolean(), globs], 'must be true, false or a list of globs').default(true),
  /** A summary that somebody deleted comes back with the next push. */
  recreate: flag.default(true),
  /** Other repositories that questions asked in this one may be answered from, as far as the asker may read them. */
  sources: z
    .array(z.string('must be "owner/name"').regex(/^[\w.-]{1,100}\/[\w.-]{1,100}$/, 'must be "owner/name"'), 'must be a list of repositories, such as "- acme/shop"')
    .max(most.sources, `has more than ${most.sources} repositories`)
    .default([]),
})
export type Settings = z.infer<typeof Settings>

/** Settings, or why the file is not in force. */
export type ReadSettings = { settings: Settings; fault: null } | { settings: null; fault: string }

export const defaultSettings: Settings = Settings.parse({})
const keys = Object.keys(Settings.shape)

/**
 * Reads a `.nura.yml`. One that is at fault in any place is not in force as a whole, and `fault` says to its author which
 * lines to change and how. Never throws, whatever the text.
 */
export function readSettings(text: string): ReadSettings {
  const screened = screen(text)
  if (screened !== null) return refuse([screened])
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, prettyErrors: false, logLevel: 'error', version: '1.2', merge: false })
  const lineOf = (node: unknown) => lines.linePos((node as Node | null)?.range?.[0] ?? 0).line
  const broken = [...document.errors, ...document.warnings].map(({ message, pos }) => `line ${lines.linePos(pos[0]).line}: is not YAML: ${toPlain(message, 120)}`)
  const faults = broken.length > 0 ? broken : [...findAliases(document, lineOf), ...findKeys(document, lineOf)]
  if (faults.length > 0) return refuse(faults)
  // An empty value, as of a list whose entries are all commented out, is one that is not given.
  const given = Object.entries((document.toJS() ?? {}) as Record<string, unknown>).filter(([, value]) => value !== null)
  const read = Settings.safeParse(Object.fromEntries(given))
  if (read.success) return { settings: read.data, fault: null }
  return refuse(read.error.issues.map(({ path, message }) => `line ${lineOf(document.getIn(path, true))}, \`${path[0]?.toString()}\`: ${message}`))
}

/** What a stored object says; the defaults for what another version wrote and this one cannot read. */
export function toSettings(stored: unknown): Settings {
  return Settings.catch(defaultSettings).parse(stored ?? {})
}

/** Why the settings leave a file of the tree out; null when they do not. */
export function createSettingsSkip({ include, ignore }: Settings): (path: string) => SkipReason | null {
  const [isIncluded, isIgnored] = [include === null ? () => true : createPathFilter(include), createPathFilter(ignore)]
  return (path) => (isIgnored(path) ? 'ignored' : isIncluded(path) ? null : 'not-included')
}

/** Whether a file of a pull request belongs into its summary. */
export function createSummaryFilter({ summarise }: Settings): (path: string) => boolean {
  return typeof summarise === 'boolean' ? () => summarise : createPathFilter(summarise)
}

function createPathFilter(patterns: string[]): (path: string) => boolean {
  const compiled = patterns.map(toGlob)
  return (path) => compiled.some((glob) => matchesGlob(glob, path))
}

function screen(text: string): string | null {
  if (Buffer.byteLength(text) > longestSettings) return `it is larger than ${longestSettings / 1024} KB; name folders instead of files`
  const line = text.split('\n').findIndex((each) => each.length > screens.line) + 1
  if (line > 0) return `line ${line}: is longer than ${screens.line.toLocaleString('en')} characters`
  let open = 0
  for (const character of text) {
    if (character === '[' || character === '{') open++
    else if (character === ']' || character === '}') open = Math.max(0, open - 1)
    if (open > screens.brackets) return 'its brackets are not closed, or nested too deep; write one entry a line'
  }
  return null
}

function findAliases(document: Document.Parsed, lineOf: (node: unknown) => number): string[] {
  const faults: string[] = []
  visit(document, {
    Node(_, node) {
      if (isAlias(node) || ('anchor' in node && node.anchor)) faults.push(`line ${lineOf(node)}: anchors (&) and aliases (*) are not read; write the value out, and put a glob that starts with * in quotes`)
    },
  })
  return faults
}

function findKeys(document: Document.Parsed, lineOf: (node: unknown) => number): string[] {
  const { contents } = document
  if (contents === null || (isScalar(contents) && contents.value === null)) return []
  if (!isMap(contents)) return [`line ${lineOf(contents)}: must be keys with values, such as "ignore: [docs/old/**]"; the keys are ${keys.join(', ')}`]
  const seen = new Set<string>()
  return contents.items.flatMap(({ key }) => {
    const name = isScalar(key) && typeof key.value === 'string' ? key.value : ''
    if (!keys.includes(name)) return [`line ${lineOf(key)}, ${toQuoted(name)}: there is no such key; the keys are ${keys.join(', ')}`]
    if (seen.has(name)) return [`line ${lineOf(key)}, \`${name}\`: stands here a second time; keep one`]
    seen.add(name)
    return []
  })
}

function toGlobFault(glob: string): string | null {
  const path = glob.replace(/^(?:\.?\/)+/, '')
  if (path.trim() === '') return 'has an empty glob'
  if (glob.startsWith('!')) return `has ${toQuoted(glob)}: "!" is not read; write what is meant under the other of include and ignore`
  if (/[{}|]/.test(glob)) return `has ${toQuoted(glob)}: braces and "|" are not read; write one glob a line`
  if (glob.includes('\\')) return `has ${toQuoted(glob)}: write "/" between folders`
  if (/[\0-\x1f\x7f]/.test(glob)) return 'has a glob with control characters'
  if (path.split('/').some((segment) => segment === '..')) return `has ${toQuoted(glob)}: ".." is not read; globs start at the root of the repository`
  if (path.split('/').some((segment) => segment !== '**' && segment.includes('**'))) return `has ${toQuoted(glob)}: "**" stands alone between slashes, as in "**/*.md"`
  return null
}

function toQuoted(text: string): string {
  return `\`${toPlain(text, 60) || '?'}\``
}

/** Text of the file as it may be shown: short, on one line, and no end of a code span. */
function toPlain(text: string, longest: number): string {
  return text.toWellFormed().replace(/[^\p{L}\p{N}\p{P}\p{S} ]|`/gu, '').slice(0, longest).toWellFormed().trim()
}

function refuse(faults: string[]): ReadSettings {
  const more = faults.length - most.faults
  const told = [...faults.slice(0, most.faults), ...(more > 0 ? [`and ${more} more`] : [])]
  return toFault(told.join('; '))
}

/** What was in force stays: a slip of the pen must not bring files into the index that were to stay out. */
export function toFault(why: string): ReadSettings {
  return { settings: null, fault: `${settingsPath} is not in force: ${why}. Until that is repaired, what was in force before it stays.` }
}
