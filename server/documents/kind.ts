import { NuraError } from '#db/nura-error.ts'

/** What Nura can read the text of. */
export const documentKinds = ['pdf', 'docx', 'html', 'markdown', 'text'] as const
export type DocumentKind = (typeof documentKinds)[number]

const extensions: Record<string, DocumentKind> = {
  pdf: 'pdf', docx: 'docx', html: 'html', htm: 'html', xhtml: 'html', md: 'markdown', markdown: 'markdown', mdx: 'markdown', txt: 'text', text: 'text', rst: 'text', adoc: 'text', csv: 'text',
}
const mediaTypes: Record<string, DocumentKind> = {
  'application/pdf': 'pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'text/html': 'html',
  'application/xhtml+xml': 'html',
  'text/markdown': 'markdown',
  'text/x-markdown': 'markdown',
  'text/plain': 'text',
  'text/csv': 'text',
}
const wanted = 'Send a PDF, a Word document (.docx), Markdown, HTML or plain text.'

/**
 * What a document is: by its first bytes where they tell, else by the end of its name, else by the type it was sent as.
 * @throws NuraError `unsupported-media-type`, `empty-document`
 */
export function toDocumentKind({ name, mediaType, bytes }: { name: string; mediaType: string; bytes: Buffer }): DocumentKind {
  if (bytes.length === 0) throw new NuraError('empty-document', 'The document is empty: it has no bytes.', { field: 'file' })
  // A PDF may begin with some junk; readers look at the first kilobyte.
  if (bytes.subarray(0, 1024).includes('%PDF-')) return 'pdf'
  const extension = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? ''
  const said = extensions[extension] ?? mediaTypes[mediaType.split(';')[0]!.trim().toLowerCase()]
  if (bytes.subarray(0, 4).equals(Buffer.from('504b0304', 'hex'))) return said === 'docx' || extension === '' ? 'docx' : refuse(`"${name}" is an archive or another kind of office file.`)
  if (bytes.subarray(0, 8).equals(Buffer.from('d0cf11e0a1b11ae1', 'hex'))) {
    return refuse(`"${name}" is protected by a password or in the old format of Word. Open it, save it as .docx without a password, and send that.`)
  }
  if (said === 'pdf') return refuse(`"${name}" is called a PDF, but does not begin like one.`)
  if (said === 'docx') return refuse(`"${name}" is called a Word document, but does not begin like one.`)
  if (said === undefined) return refuse(`Nura cannot read "${name}"${mediaType === '' ? '' : ` (${mediaType})`}.`)
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe || bytes[0] === 0xfe && bytes[1] === 0xff
  if (!isUtf16 && bytes.subarray(0, 64 * 1024).includes(0)) return refuse(`"${name}" is called text, but holds binary data.`)
  return said
}

function refuse(why: string): never {
  throw new NuraError('unsupported-media-type', `${why} ${wanted}`, { field: 'file' })
}
