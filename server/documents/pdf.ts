import { PDFLoader } from '@langchain/community/document_loaders/fs/pdf'
import type { DocumentFault } from '#db/tenant/documents.ts'
import { longestText, type Extracted } from './extracted.ts'
import { Unreadable } from './unreadable.ts'

/** The build of PDF.js for servers: it asks for no canvas and starts no thread of its own. */
const loadPdfjs = () => import('unpdf/pdfjs')
type Pdfjs = Awaited<ReturnType<typeof loadPdfjs>>
type OpenPdf = Awaited<ReturnType<Pdfjs['getDocument']>['promise']>

const mostPages = 5_000
const noText = 'it has no text: it is blank, or a picture such as a scan'

/**
 * The text of a PDF, each page under a heading of its own, which is what people look a passage up by.
 * @throws Unreadable when it is encrypted, broken or has no text at all
 */
export async function extractPdf(bytes: Buffer): Promise<Extracted> {
  const faults: DocumentFault[] = []
  const seen = { pages: 0 }
  const loader = new PDFLoader(new Blob([new Uint8Array(bytes)]), { pdfjs: async () => forgiving(await loadPdfjs(), faults, seen) as never })
  const loaded = await loader.load().catch((error: unknown) => Promise.reject(toUnreadable(error)))
  const texts = new Map(loaded.map(({ pageContent, metadata }) => [(metadata as { loc: { pageNumber: number } }).loc.pageNumber, pageContent.trim()]))
  const read = Math.min(seen.pages, mostPages)
  const broken = new Set(faults.map(({ page }) => page))
  const pages: string[] = []
  for (let page = 1; page <= read; page++) {
    const text = texts.get(page) ?? ''
    if (text !== '') pages.push(`## Page ${page}\n\n${text}`)
    else if (!broken.has(page)) faults.push({ page, reason: noText })
  }
  if (seen.pages > mostPages) faults.push({ page: null, reason: `it has ${seen.pages} pages, of which the first ${mostPages} were read` })
  faults.sort((one, other) => (one.page ?? Infinity) - (other.page ?? Infinity))
  if (pages.length > 0) return { text: pages.join('\n\n'), pages: seen.pages, faults }
  const whole = seen.pages === 1 ? 'Its one page holds' : `None of its ${seen.pages} pages holds`
  const isScan = faults.every(({ reason }) => reason === noText)
  const advice = isScan ? 'If it is a scan, let a program recognise its text (OCR), and send the result.' : 'Save it anew from the program it was made with, and send that.'
  throw new Unreadable(`${whole} ${seen.pages === 1 ? 'no text' : 'text'} that can be read. ${advice}`, { faults, pages: seen.pages })
}

/** PDF.js as the loader asks for it, except that a page which cannot be read costs that page and not the document. */
function forgiving({ getDocument, version }: Pdfjs, faults: DocumentFault[], seen: { pages: number }) {
  let length = 0
  const readPage = async (pdf: OpenPdf, number: number) => {
    try {
      const page = await pdf.getPage(number)
      const content = await page.getTextContent()
      page.cleanup()
      length += content.items.reduce((sum, item) => sum + ('str' in item ? item.str.length : 0), 0)
      return { getTextContent: async () => content }
    } catch {
      faults.push({ page: number, reason: 'it is damaged' })
      return { getTextContent: async () => ({ items: [] }) }
    }
  }
  const open = async (options: Parameters<Pdfjs['getDocument']>[0]) => {
    // It tells what it makes of a damaged file on the console, which is not for a log.
    const pdf = await getDocument({ ...(options as object), verbosity: 0, stopAtErrors: false, disableFontFace: true } as never).promise
    seen.pages = pdf.numPages
    return {
      numPages: Math.min(pdf.numPages, mostPages),
      getMetadata: async () => null,
      getPage: (number: number) => (length > longestText ? { getTextContent: async () => ({ items: [] }) } : readPage(pdf, number)),
    }
  }
  return { version, getDocument: (options: Parameters<Pdfjs['getDocument']>[0]) => ({ promise: open(options) }) }
}

function toUnreadable(error: unknown): unknown {
  const name = error instanceof Error ? error.name : ''
  if (name === 'PasswordException') return new Unreadable('The PDF is encrypted. Save it without a password, and send that.', { cause: error })
  if (['InvalidPDFException', 'FormatError', 'UnknownErrorException', 'XRefParseException', 'MissingPDFException'].includes(name)) {
    return new Unreadable('The PDF is damaged: its pages cannot be found in it. Save it anew from the program it was made with, and send that.', { cause: error })
  }
  return error
}
