import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { NuraError } from '#db/nura-error.ts'

/** What a rule is tuned on, and what only tells how well it does then. */
export const halves = ['tuning', 'report'] as const
export type Half = (typeof halves)[number]

const Golden = z.union([
  z.strictObject({ path: z.string(), startLine: z.int().min(1), endLine: z.int().min(1) }),
  z.strictObject({ path: z.string(), text: z.string().min(1) }),
])
const GoldenFile = z.strictObject({
  root: z.string().optional(),
  documents: z.array(z.strictObject({ path: z.string().min(1), text: z.string().optional() })).min(1),
  questions: z.array(z.strictObject({ question: z.string().min(1), golden: z.array(Golden).min(1) })).min(1),
  outside: z.array(z.strictObject({ question: z.string().min(1), kind: z.string().min(1), half: z.enum(halves) })).default([]),
})

/** Lines of a document, 1-based, both inclusive. */
export type Lines = { path: string; startLine: number; endLine: number }
export type GoldenSet = {
  documents: Map<string, string>
  questions: { question: string; golden: Lines[]; half: Half }[]
  /** Questions that the documents do not answer, `kind` saying why somebody could think so. */
  outside: { question: string; kind: string; half: Half }[]
}

/**
 * A set of the form `{ documents, questions, golden, outside? }`. A document without a text is read from its path, beneath the
 * set's `root` (beside the set, unless it is given); a golden chunk is told by its lines or by an excerpt of its document. What is
 * `outside` says which half it is of; of the other questions every second one is for tuning.
 * @throws NuraError `bad-set`, which names the document or excerpt that is not there
 */
export async function readGoldenSet(file: string): Promise<GoldenSet> {
  const parsed = GoldenFile.safeParse(JSON.parse(await readFile(file, 'utf8')))
  if (!parsed.success) throw new NuraError('bad-set', `${file} is no set of documents, questions and golden chunks: ${z.prettifyError(parsed.error)}`)
  const { root = '.', documents, questions, outside } = parsed.data
  const texts = await Promise.all(documents.map(async ({ path, text }) => [path, text ?? (await readFile(join(dirname(file), root, path), 'utf8'))] as const))
  const held = new Map(texts)
  const toLines = (golden: z.infer<typeof Golden>): Lines => {
    const text = held.get(golden.path)
    if (text === undefined) throw new NuraError('bad-set', `${file} names a golden chunk of ${golden.path}, which is none of its documents.`)
    if (!('text' in golden)) return golden
    const at = text.indexOf(golden.text)
    if (at < 0) throw new NuraError('bad-set', `${golden.path} does not hold «${golden.text.slice(0, 80)}», which ${file} names as golden.`)
    const startLine = text.slice(0, at).split('\n').length
    return { path: golden.path, startLine, endLine: startLine + golden.text.trimEnd().split('\n').length - 1 }
  }
  return { documents: held, questions: questions.map(({ question, golden }, at) => ({ question, golden: golden.map(toLines), half: halves[at % 2]! })), outside }
}

/** A passage stands for a golden chunk when it holds at least half of its lines, or lies at least half within it: sets are cut in other ways than Nura cuts. */
export function covers(passage: Lines, golden: Lines): boolean {
  if (passage.path !== golden.path) return false
  const shared = Math.min(passage.endLine, golden.endLine) - Math.max(passage.startLine, golden.startLine) + 1
  return shared >= Math.min(linesOf(golden), linesOf(passage)) / 2
}

function linesOf({ startLine, endLine }: Lines): number {
  return endLine - startLine + 1
}
