import { createHash } from 'node:crypto'
import { NuraError } from '#db/nura-error.ts'
import { chunkFile } from '#server/indexing/chunk.ts'
import { fileRole } from '#server/retrieval/file-role.ts'
import { createGitSource } from '#server/sources/git.ts'
import { readText, skipByEntry } from '#server/sources/skip.ts'
import type { Lines } from './golden-set.ts'

export const kindsOfSentence = ['code', 'documents'] as const
type KindOfSentence = (typeof kindsOfSentence)[number]
/** A sentence that says what stands in these lines, and was taken out of them. */
type Sentence = { kind: KindOfSentence; question: string; golden: Lines }

/** A sentence and where it stands: [start, end) in its file, and the lines that it is about. */
type Found = { kind: KindOfSentence; question: string; start: number; end: number; golden: Lines }

const fewestWords = 5
const mostWords = 40
/** A file that is longer is a book of its own, and would give half of the questions. */
const longestFile = 300_000

/**
 * «What is this sentence about?»: first sentences of comments that say what a function does, and first sentences of paragraphs, of
 * the head of a checkout. Each is taken out of its file, whose lines keep their numbers, and is asked for; what it stood over is
 * golden. Which ones is decided by their hashes, so that the same tree gives the same questions.
 *
 * @param most of each kind
 * @throws NuraError `no-questions`
 */
export async function readSentences(dir: string, most: number): Promise<{ documents: Map<string, string>; sentences: Sentence[] }> {
  const source = createGitSource(dir)
  const entries = (await source.tree((await source.head()).sha)).filter((entry) => skipByEntry(entry) === null && fileRole(entry.path) !== 'history')
  const texts = new Map<string, string>()
  let next = 0
  for await (const { bytes } of source.read(entries.map(({ blobSha }) => blobSha))) {
    const { path } = entries[next++]!
    const { text } = readText(path, bytes)
    if (text !== null && text.length <= longestFile) texts.set(path, text)
  }
  const found: Found[] = []
  for (const [path, text] of texts) found.push(...(await findSentences(path, text)))
  const once = [...Map.groupBy(found, ({ question }) => question).values()].flatMap((same) => (same.length === 1 ? same : []))
  const ordered = once.map((each) => ({ ...each, hash: createHash('sha256').update(`${each.golden.path}\0${each.question}`).digest('hex') })).sort((a, b) => (a.hash < b.hash ? -1 : 1))
  const chosen = kindsOfSentence.flatMap((kind) => ordered.filter((each) => each.kind === kind).slice(0, most))
  if (chosen.length === 0) throw new NuraError('no-questions', `${dir} has neither comments nor paragraphs that make a question.`)
  for (const [path, of] of Map.groupBy(chosen, ({ golden }) => golden.path)) texts.set(path, takeOut(texts.get(path)!, of))
  return { documents: texts, sentences: chosen.map(({ kind, question, golden }) => ({ kind, question, golden })) }
}

async function findSentences(path: string, text: string): Promise<Found[]> {
  const { contentType, symbols } = await chunkFile(path, text)
  if (contentType === 'documentation') return findParagraphs(path, text)
  if (fileRole(path) !== 'source') return []
  return symbols.flatMap(({ name, kind, doc, startLine, endLine }) => {
    const sentence = doc && firstSentence(doc)
    if (!sentence || !/^(?:function|method)$/.test(kind) || endLine - startLine < 3) return []
    const places = [...text.matchAll(toPattern(sentence))]
    if (places.length !== 1) return []
    // In Go a comment begins with the name that is looked for.
    const question = sentence.startsWith(`${name} `) ? sentence.slice(name.length + 1) : sentence
    const [{ index: start, 0: standing }] = places as [RegExpExecArray]
    return isAskable(question) ? [{ kind: 'code' as const, question, start, end: start + standing.length, golden: { path, startLine, endLine } }] : []
  })
}

/** Paragraphs that go on after their first sentence: blocks of plain text between empty lines. */
function findParagraphs(path: string, text: string): Found[] {
  return [...text.matchAll(/(?<=^|\n[ \t]*\n)[\p{Lu}].*(?:\n.*\S.*)*/gu)].flatMap(({ index, 0: paragraph }) => {
    const [sentence = ''] = /^[^]+?[.!?](?=\s)/.exec(paragraph) ?? []
    const question = toPlain(sentence)
    const startLine = text.slice(0, index).split('\n').length
    const isProse = !/[|{}<>=]|^\s*[-*+] /m.test(paragraph)
    const rest = paragraph.slice(sentence.length)
    if (!isProse || !isAskable(question) || rest.split(/\s+/).length < 15) return []
    return [{ kind: 'documents' as const, question, start: index, end: index + sentence.length, golden: { path, startLine, endLine: startLine + paragraph.split('\n').length - 1 } }]
  })
}

function firstSentence(doc: string): string {
  return /^[^]+?[.!?](?=\s|$)/.exec(doc.trim())?.[0] ?? ''
}

/** The words of a sentence wherever lines break it, marks of comments between them. */
function toPattern(sentence: string): RegExp {
  return new RegExp(sentence.split(/\s+/).map((word) => RegExp.escape(word)).join('[\\s/*#!]+'), 'g')
}

/** Without the marks of Markdown and reStructuredText. */
function toPlain(sentence: string): string {
  return sentence
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/:[\w:]+:`~?([^`]*)`/g, '$1')
    .replace(/[`*]/g, '')
    .replace(/\s+/g, ' ')
}

function isAskable(question: string): boolean {
  const words = question.split(/\s+/).length
  return words >= fewestWords && words <= mostWords
}

function takeOut(text: string, found: Found[]): string {
  let left = text
  for (const { start, end } of found.toSorted((a, b) => b.start - a.start)) left = left.slice(0, start) + '\n'.repeat(left.slice(start, end).split('\n').length - 1) + left.slice(end)
  return left
}
