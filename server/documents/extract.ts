import { redact } from '../indexing/redact.ts'
import { extractDocx } from './docx.ts'
import { withinLongest, type Extracted } from './extracted.ts'
import { extractHtml } from './html.ts'
import type { DocumentKind } from './kind.ts'
import { extractPdf } from './pdf.ts'
import { extractText } from './plain-text.ts'

/** What is to be read: `mediaType` as it was sent, with the encoding that it may name. */
export type ExtractRequest = { kind: DocumentKind; mediaType: string; bytes: Buffer }

const extractors: Record<DocumentKind, (bytes: Buffer, mediaType: string) => Extracted | Promise<Extracted>> = {
  pdf: extractPdf,
  docx: extractDocx,
  html: extractHtml,
  markdown: extractText,
  text: extractText,
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
