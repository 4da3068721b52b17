import type { FileWrite } from '#db/tenant/write-files.ts'
import { readText } from '../sources/skip.ts'
import type { SkipReason } from '../sources/skip.ts'
import type { TreeEntry } from '../sources/source.ts'
import { tokens } from '../tokens.ts'
import { toVisibleMarkdown } from '../visible-markdown.ts'
import { toVisibleText } from '../visible-text.ts'
import { chunkFile, toChunkKey, toEmbeddedText } from './chunk.ts'
import { languageOf } from './languages/index.ts'
import { stemOf } from './languages/language.ts'
import { redact } from './redact.ts'

/** A file ready to be written but for its vectors, which `texts` ask for by chunk key. */
export type ReadFile = { file: FileWrite; texts: Map<string, string>; redacted: { kind: string; count: number }[] }

/** The path that a document's text is cut by: its own says how it was written once, not what its text is now. */
const documentPath = 'document.md'

/** What is kept of a file whose content is not. */
export function toSkipped(entry: TreeEntry, skipReason: string): FileWrite {
  const { document } = entry
  const language = languageOf(document ? documentPath : entry.path)
  return {
    path: entry.path,
    stem: stemOf(entry.path),
    blobSha: entry.blobSha,
    size: entry.size,
    language: language?.id ?? null,
    contentType: document?.contentType ?? (language?.documentation ? 'documentation' : 'code'),
    // Of what not everyone may read, not even the title.
    ...(document && skipReason !== 'restricted' ? { title: toVisibleText(document.title), url: document.url, changedAt: document.changedAt } : {}),
    skipReason,
    tokens: [],
    chunks: [],
    symbols: [],
    edges: [],
  }
}

/**
 * Bytes → text as people see it → without secrets → chunks, symbols and edges. What is stored, searched, embedded and given to a
 * model all comes from that text; its lines are those of the file.
 */
export async function readFile(entry: TreeEntry, bytes: Buffer, space: string, kept?: SkipReason): Promise<ReadFile> {
  const { text, skip } = kept ? { text: null, skip: kept } : entry.document ? readDocument(bytes) : readText(entry.path, bytes)
  if (text === null) return { file: toSkipped(entry, skip), texts: new Map(), redacted: [] }

  const path = entry.document ? documentPath : entry.path
  const clean = await redact(toSeen(path, text))
  const { language, contentType, chunks, symbols, edges } = await chunkFile(path, clean.text)
  const texts = new Map<string, string>()
  const fileTokens = tokens(entry.document ? `${entry.path} ${entry.document.title}` : entry.path)
  const written = chunks.map((chunk) => {
    const embeddedText = toEmbeddedText(chunk)
    const key = toChunkKey(space, embeddedText)
    texts.set(key, embeddedText)
    const words = tokens(chunk.content)
    for (const word of words) fileTokens.push(word)
    return { ...chunk, key, tokens: [...tokens(chunk.scope.join(' ')), ...words], embedding: [] }
  })
  const file = { ...toSkipped(entry, ''), skipReason: null, language, contentType: entry.document?.contentType ?? contentType, tokens: fileTokens, chunks: written, symbols, edges }
  return { file, texts, redacted: clean.found }
}

/** Of code all is seen but what no editor shows; of Markdown, what its page shows. */
function toSeen(path: string, text: string): string {
  return languageOf(path)?.id === 'markdown' ? toVisibleMarkdown(text) : toVisibleText(text)
}

/** Text that a source has made itself is never taken for what tools write: a handbook may say "do not edit". */
function readDocument(bytes: Buffer): { text: string; skip: null } | { text: null; skip: SkipReason } {
  const text = bytes.toString('utf8')
  return text.trim() === '' ? { text: null, skip: 'empty' } : { text, skip: null }
}
