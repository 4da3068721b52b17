import type { Citation } from '#server/answer-part.ts'
import { redact } from '#server/indexing/redact.ts'
import { removedLink } from '#server/retrieval/clean-text.ts'
import type { IndexedChunk } from '../open-index.ts'
import type { Block } from './claims.ts'

/**
 * What is wrong with a citation; null when its lines are in the index, at the commit that is indexed, and read there as they do in
 * the document.
 */
export async function faultOf(citation: Citation, { sha, chunks, documents }: { sha: string; chunks: IndexedChunk[]; documents: ReadonlyMap<string, string> }): Promise<string | null> {
  const { path, startLine, endLine } = citation
  const text = documents.get(path)
  if (text === undefined) return `${path} is no document`
  if (citation.sha !== sha) return `${path} is cited at ${citation.sha}, and ${sha} is indexed`
  const lines = text.split('\n')
  if (startLine > endLine || endLine > lines.length) return `${path} has no lines ${startLine} to ${endLine}`
  const chunk = chunkOf(citation, chunks)
  if (!chunk) return `lines ${startLine} to ${endLine} of ${path} are not in the index`
  const there = lines.slice(chunk.startLine - 1, chunk.endLine).join('\n')
  const isSame = toLines(chunk.content) === toLines(there) || toLines(chunk.content) === toLines((await redact(there)).text)
  return isSame ? null : `lines ${startLine} to ${endLine} of ${path} read otherwise in the document`
}

/** The chunk of the index that holds all lines of a citation. */
export function chunkOf({ path, startLine, endLine }: Pick<Citation, 'path' | 'startLine' | 'endLine'>, chunks: IndexedChunk[]): IndexedChunk | undefined {
  return chunks.find((chunk) => chunk.path === path && chunk.startLine <= startLine && endLine <= chunk.endLine)
}

/** Lines of a block that none of the passages has which stand for it; a line may be cut short with «…», and lacks the addresses that no answer shows. */
export function misquoted({ lines }: Block, passages: Pick<IndexedChunk, 'content'>[]): string[] {
  const there = passages.flatMap(({ content }) => content.split(/\r?\n/)).map((line) => line.trim())
  return lines.map((line) => line.trim()).filter((line) => line !== '' && line !== '…' && !there.some((other) => isLine(line, other)))
}

function isLine(line: string, other: string): boolean {
  const [before, ...rest] = line.split(removedLink)
  const after = rest.at(-1)
  if (after !== undefined) return other.startsWith(before!) && other.endsWith(after)
  return line.endsWith('…') ? other.startsWith(line.slice(0, -1).trim()) : other === line
}

function toLines(text: string): string {
  return text.replaceAll('\r', '').replace(/\n+$/, '')
}
