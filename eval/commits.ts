import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { fileRole } from '#server/retrieval/file-role.ts'
import { tokens } from '#server/tokens.ts'

/** One question of the task: the subject of a commit, and the files that the commit changed, as they stood before it. */
export type FilesQuery = {
  sha: string
  parent: string
  subject: string
  files: string[]
  /** The subject names one of the files: left out of the strict half, which is the one reported. */
  named: boolean
}

const run = promisify(execFile)

/** Commits that say what was done for a release or a robot, not what was changed in the program. */
const skipped = /^(?:merge|revert|release|bump|chore|build|ci|style|docs?|tests?|lint|version)\b|^v?\d+\.\d+/i
const robot = /\[bot\]|\bbot\b|dependabot|renovate|greenkeeper|semantic-release|pre-commit-ci|github-actions|snyk/i
const mostTouched = 20
const mostAnswers = 5

/** The newest `limit` commits of the checkout that make fair questions, newest first. */
export async function readCommits(dir: string, limit: number): Promise<FilesQuery[]> {
  const log = [
    'log',
    '--first-parent',
    '--no-merges',
    '--no-renames',
    '--name-status',
    '-z',
    '--format=%x01%H%x02%P%x02%an <%ae>%x02%s',
  ]
  const { stdout } = await run('git', ['-C', dir, ...log, 'HEAD'], { maxBuffer: 1 << 30 })
  const found: FilesQuery[] = []
  for (const entry of stdout.split('\x01').slice(1)) {
    const query = toQuestion(entry)
    if (query) found.push(query)
    if (found.length === limit) break
  }
  return found
}

/** One record of the log above; null when the commit makes no fair question. */
export function toQuestion(entry: string): FilesQuery | null {
  const [head = '', ...rest] = entry.split('\0')
  const [sha = '', parents = '', author = '', rawSubject = ''] = head.trim().split('\x02')
  const parent = parents.split(' ')[0]
  if (!parent || robot.test(author) || skipped.test(rawSubject.trim())) return null
  const subject = cleanSubject(rawSubject)
  if (subject.split(/\s+/).length < 4) return null
  const fields = rest.map((field) => field.trim()).filter(Boolean)
  const changes = fields.flatMap((status, at) => (at % 2 === 0 ? [{ status, path: fields[at + 1] ?? '' }] : []))
  const files = changes.filter(({ status, path }) => status === 'M' && fileRole(path) === 'source').map(({ path }) => path)
  if (changes.length > mostTouched || files.length === 0 || files.length > mostAnswers) return null
  return { sha, parent, subject, files, named: files.some((path) => names(subject, path)) }
}

function cleanSubject(subject: string): string {
  return subject
    .replace(/https?:\/\/\S+/g, ' ')
    .replace(/\b(?:fix(?:es|ed)?|close[sd]?|resolve[sd]?|refs?|see)\s+#\d+/gi, ' ')
    .replace(/\(?(?:[\w.-]+\/[\w.-]+)?#\d+\)?/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}

function names(subject: string, path: string): boolean {
  const stem = path
    .split('/')
    .at(-1)!
    .replace(/\.[^.]+$/, '')
  const [joined] = tokens(stem.replace(/[^\p{L}\p{N}]+/gu, '_'))
  const said = new Set(tokens(subject))
  if (joined !== undefined && said.has(joined)) return true
  const parts = tokens(stem)
  return parts.length > 1 && parts.every((part) => said.has(part) || part === joined)
}
