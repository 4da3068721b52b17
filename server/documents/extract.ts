import { redact } from '../indexing/redact.ts'
import { withinLongest, type Extracted } from './extracted.ts'
import type { DocumentKind } from './kind.ts'

/** What is to be read: `mediaType` as it was sent, with the encoding that it may name. */
export type ExtractRequest = { kind: DocumentKind; mediaType: string; bytes: Buffer }

/** What one kind needs is loaded for it alone: the thread of a note must not begin with a reader of PDF. */
const extractors: Record<DocumentKind, (bytes: Buffer, mediaType: string) => Promise<Extracted>> = {
  pdf: async (bytes) => (await import('./pdf.ts')).extractPdf(bytes),
  docx: async (bytes) => (await import('./docx.ts')).extractDocx(bytes),
  html: async (bytes, mediaType) => (await import('./html.ts')).extractHtml(bytes, mediaType),
  markdown: extractPlain,
  text: extractPlain,
}

async function extractPlain(bytes: Buffer, mediaType: string): Promise<Extracted> {
  return (await import('./plain-text.ts')).extractText(bytes, mediaType)
}

/**
 * The text of a document, without the secrets in it: nothing else of it is ever stored. Works hard and trusts nothing of what it is given, so it belongs in a thread of its own; see
 * `extractInThread`.
 * @throws Unreadable
 */
export async function extract({ kind, mediaType, bytes }: ExtractRequest): Promise<Extracted> {
  const extracted = withinLongest(await extractors[kind](bytes, mediaType))
  return { ...extracted, text: (await redact(extracted.text)).text }
}
