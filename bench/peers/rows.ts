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
 * `one`, one in ten of `ten`; rows of a group follow each other, as those of a repository do. Questions are shorter runs of lines
 * from anywhere.
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
  const rows = windows.map((text, at) => ({ id: toId(at), text, vector: vectors[at]!, group: at % 100 === 0 ? 'one' : at % 10 === 1 ? 'ten' : 'rest' }))
  return {
    rows: ['one', 'ten', 'rest'].flatMap((group) => rows.filter((row) => row.group === group)),
    questions: asked.map((text, at) => ({ text, vector: questionVectors[at]! })),
  }
}

const toId = (at: number) => `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`

/** Says what share of an exact search's first rows were found for a question; rows as near as the last of them count alike. */
export function createJudge(rows: Row[], questions: Question[]): (question: number, group: string | null, found: string[]) => number {
  const places = new Map(rows.map(({ id }, at) => [id, at]))
  const known = new Map<number, Float64Array>()
  const scoresOf = (question: number) => {
    const scores = known.get(question) ?? Float64Array.from(rows, ({ vector }) => dot(vector, questions[question]!.vector))
    known.set(question, scores)
    return scores
  }
  return (question, group, found) => {
    const scores = scoresOf(question)
    const near = rows.flatMap((row, at) => (group === null || row.group === group ? [scores[at]!] : []))
    const least = near.sort((left, right) => right - left)[found.length - 1]! - 1e-6
    return found.filter((id) => scores[places.get(id)!]! >= least).length / found.length
  }
}

function dot(left: number[], right: number[]): number {
  let sum = 0
  for (let at = 0; at < left.length; at++) sum += left[at]! * right[at]!
  return sum
}
