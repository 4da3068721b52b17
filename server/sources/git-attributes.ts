import { toPathMatcher } from './wildmatch.ts'

/** What `.gitattributes` says of a file; see `TreeEntry`. */
export type Marks = { generated: boolean; vendored: boolean }

type Rule = { matches(path: string): boolean; generated?: boolean; vendored?: boolean }

/** git reads no longer line. */
const longestLine = 2048
const names = { 'linguist-generated': 'generated', 'linguist-vendored': 'vendored' } as const

/** Whether a file of this path marks others. */
export function isAttributesPath(path: string): boolean {
  return path === '.gitattributes' || path.endsWith('/.gitattributes')
}

/**
 * The marks of each path of a tree, from its `.gitattributes` files, as `git check-attr` tells them: of the lines that match
 * the last one counts, and the file nearest to the path before those above it. Macros (`[attr]…`) are passed over.
 */
export function toMarks(files: { path: string; content: string }[]): (path: string) => Marks {
  const rulesOf = new Map(files.map(({ path, content }) => [folderOf(path), toRules(content)]))
  return (path) => {
    const marks: Partial<Marks> = {}
    for (let folder = folderOf(path); ; folder = folderOf(folder)) {
      const within = folder === '' ? path : path.slice(folder.length + 1)
      for (const rule of rulesOf.get(folder) ?? []) {
        if ((rule.generated === undefined || marks.generated !== undefined) && (rule.vendored === undefined || marks.vendored !== undefined)) continue
        if (!rule.matches(within)) continue
        marks.generated ??= rule.generated
        marks.vendored ??= rule.vendored
      }
      if (folder === '') break
    }
    return { generated: marks.generated ?? false, vendored: marks.vendored ?? false }
  }
}

/** Last line first. */
function toRules(content: string): Rule[] {
  const lines = content.replace(/^\ufeff/, '').split(/\r?\n/)
  return lines.flatMap((line) => toRule(line) ?? []).reverse()
}

function toRule(line: string): Rule | null {
  const text = line.trimStart()
  if (text === '' || text.startsWith('#') || text.startsWith('[attr]') || Buffer.byteLength(line) > longestLine) return null
  const read = /^("(?:[^"\\]|\\.)*")\s(.*)$/.exec(text) ?? /^(\S+)\s+(.*)$/.exec(text)
  if (!read) return null
  const pattern = read[1]!.startsWith('"') && read[1]!.endsWith('"') && read[1]!.length > 1 ? unquote(read[1]!) : read[1]!
  // git refuses a pattern that excludes, and one that names a folder matches no file.
  if (pattern.startsWith('!') || pattern.endsWith('/')) return null
  const said: { generated?: boolean; vendored?: boolean } = {}
  for (const word of read[2]!.trim().split(/\s+/)) {
    const [, sign, name = '', value] = /^([-!]?)([^=]*)(?:=(.*))?$/.exec(word) ?? []
    const mark = names[name as keyof typeof names]
    if (mark) said[mark] = sign === '' && (value === undefined || value === 'true')
  }
  return Object.keys(said).length === 0 ? null : { ...said, matches: toPathMatcher(pattern) }
}

const escapes: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** A quoted pattern as C writes strings; bytes beyond ASCII come in octal. */
function unquote(quoted: string): string {
  const bytes = quoted.slice(1, -1).replace(/\\([0-3][0-7]{2}|.)|[^\\]+/gs, (plain, code?: string) => {
    if (code === undefined) return Buffer.from(plain, 'utf8').toString('latin1')
    return /^\d{3}$/.test(code) ? String.fromCharCode(Number.parseInt(code, 8)) : (escapes[code] ?? Buffer.from(code, 'utf8').toString('latin1'))
  })
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}
