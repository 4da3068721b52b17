import mammoth from 'mammoth'
import yauzl from 'yauzl'
import type { Entry, ZipFile } from 'yauzl'
import type { Extracted } from './extracted.ts'
import { htmlToMarkdown } from './html.ts'
import { Unreadable } from './unreadable.ts'

/** Most that a document may unpack to, and most parts it may have: a book with pictures stays far below both. */
const limits = { inflated: 200 * 1024 * 1024, text: 64 * 1024 * 1024, entries: 5_000 }

/**
 * The text of a Word document, with its headings, lists and tables. What it unpacks to is measured before it is unpacked.
 * @throws Unreadable when it is damaged, no Word document, or unpacks to too much
 */
export async function extractDocx(bytes: Buffer): Promise<Extracted> {
  await checkArchive(bytes)
  const { value } = await mammoth.convertToHtml({ buffer: bytes }, { convertImage: mammoth.images.imgElement(async () => ({ src: '' })), externalFileAccess: false } as object).catch(refuseDamaged)
  const text = htmlToMarkdown(value)
  if (text === '') throw new Unreadable('The Word document holds no text. If its pages are pictures, let a program recognise their text (OCR), and send the result.')
  return { text, pages: null, faults: [] }
}

/** A size that an entry claims falsely is found out too: each part is unpacked once, held nowhere, and measured. */
async function checkArchive(bytes: Buffer): Promise<void> {
  const archive = await yauzl.fromBufferPromise(bytes, { strictFileNames: false }).catch(refuseDamaged)
  let [count, inflated, isWord] = [0, 0, false]
  const parts: Entry[] = []
  for await (const entry of archive.eachEntry()) {
    count++
    inflated += entry.uncompressedSize
    isWord ||= entry.fileName === 'word/document.xml'
    if (count > limits.entries || inflated > limits.inflated || (entry.fileName.endsWith('.xml') && entry.uncompressedSize > limits.text)) throw tooLarge()
    parts.push(entry)
  }
  if (!isWord) throw new Unreadable('The file is no Word document: it has no text part. Send a .docx, a PDF, Markdown, HTML or plain text.')
  for (const part of parts) await measure(archive, part)
}

async function measure(archive: ZipFile, entry: Entry): Promise<void> {
  if (entry.fileName.endsWith('/')) return
  try {
    const stream = await archive.openReadStreamPromise(entry)
    for await (const _ of stream);
  } catch (error) {
    refuseDamaged(error)
  }
}

function tooLarge(): Unreadable {
  return new Unreadable(`The Word document unpacks to more than ${limits.inflated / 1024 / 1024} MB or ${limits.entries} parts, which no document needs. It was not opened. Save it without its pictures, or as PDF.`)
}

function refuseDamaged(cause: unknown): never {
  throw cause instanceof Unreadable ? cause : new Unreadable('The Word document is damaged and cannot be opened. Save it anew from Word, and send that.', { cause })
}
