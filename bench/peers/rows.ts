import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createRandom } from '#infra/testing/create-random.ts'
import { lexicalEmbedder } from '#server/models/lexical.ts'
import type { Row } from './peer.ts'

const root = join(import.meta.dirname, '..', '..')
const windowLines = 30
const questionLines = 6

export type Question = { text: string; vector: number[] }

/**
 * Rows of this repository's own text: windows of its lines, spread so that there are `count`. One in a hundred is of the group
 * `one`, one in ten of `ten`. Questions are shorter runs of lines from anywhere.
 */
export async function readRows(count: number, questionCount: number): Promise<{ rows: Row[]; questions: Question[] }> {
  const { stdout } = await promisify(execFile)('git', ['ls-files', '*.ts', '*.md'], { cwd: root, maxBuffer: 1 << 26 })
  const texts = await Promise.all(stdout.trim().split('\n').map((path) => readFile(join(root, path), 'utf8')))
  const lines = texts.join('\n').split('\n').filter((line) => line.trim() !== '')
  const cut = (at: number, length: number) => lines.slice(at, at + length).join('\n')
  const windows = Array.from({ length: count }, (_, at) => cut(Math.floor((at * (lines.length - windowLines)) / count), windowLines))
  const random = createRandom(3)
  const asked = Array.from({ length: questionCount }, () => cut(Math.floor(random() * (lines.length - questionLines)), questionLines))
  const vectors = await lexicalEmbedder.embed(windows, 'document')
  const questionVectors = await lexicalEmbedder.embed(asked, 'query')
  return {
    rows: windows.map((text, at) => ({ id: toId(at), text, vector: vectors[at]!, group: at % 100 === 0 ? 'one' : at % 10 === 1 ? 'ten' : 'rest' })),
    questions: asked.map((text, at) => ({ text, vector: questionVectors[at]! })),
  }
}

const toId = (at: number) => `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`

/** The share of an exact search's ten that `found` has; rows as near as the tenth count alike. */
export function recallOf(rows: Row[], vector: number[], group: string | null, found: string[], limit: number): number {
  const near = (row: Row) => row.vector.reduce((sum, value, at) => sum + value * vector[at]!, 0)
  const scores = new Map(rows.filter((row) => group === null || row.group === group).map((row) => [row.id, near(row)]))
  const least = [...scores.values()].sort((left, right) => right - left)[limit - 1]! - 1e-6
  return found.filter((id) => (scores.get(id) ?? -1) >= least).length / limit
}
