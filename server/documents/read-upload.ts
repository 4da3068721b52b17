import type { IncomingHttpHeaders } from 'node:http'
import busboy from 'busboy'
import { NuraError } from '#db/nura-error.ts'

/** Largest document, in bytes, and what the form around it may take. */
export const largestDocument = 50 * 1024 * 1024
const formBytes = 128 * 1024

/** A document as it was sent. `name` is what its file is called, null where only the fields can say. */
export type Upload = { bytes: Buffer; name: string | null; mediaType: string; fields: Record<string, string> }

/**
 * Reads a document from a request: a form (`multipart/form-data`) with one file and fields, or the bare bytes with their type.
 * @param readBytes refuses a body over the limit before and while reading it
 * @throws NuraError `body-too-large`, `bad-form`, `unsupported-media-type`
 */
export async function readUpload(headers: IncomingHttpHeaders, readBytes: (limit: number) => Promise<Buffer>): Promise<Upload> {
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') throw new NuraError('unsupported-media-type', 'Send the document without Content-Encoding.')
  const mediaType = headers['content-type'] ?? ''
  if (/^multipart\/form-data\b/i.test(mediaType)) return parseForm(mediaType, await readBytes(largestDocument + formBytes))
  if (mediaType === '' || /^application\/(json|x-www-form-urlencoded)\b/i.test(mediaType)) {
    throw new NuraError('unsupported-media-type', 'Send the document as multipart/form-data with a field "file", or its bytes alone with their own Content-Type, such as application/pdf, and ?name=handbook.pdf.')
  }
  return { bytes: await readBytes(largestDocument), name: null, mediaType, fields: {} }
}

function parseForm(mediaType: string, body: Buffer): Promise<Upload> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string, cause?: unknown) => reject(new NuraError('bad-form', why, { field: 'file', cause }))
    const fields: Record<string, string> = Object.create(null) as Record<string, string>
    let file: Omit<Upload, 'fields'> | null = null
    let form: ReturnType<typeof busboy>
    try {
      form = busboy({ headers: { 'content-type': mediaType }, defParamCharset: 'utf8', limits: { files: 1, fields: 12, fieldSize: 4_096, fieldNameSize: 64, fileSize: largestDocument + 1 } })
    } catch (cause) {
      return refuse('The form is not usable: its Content-Type names no boundary.', cause)
    }
    form.on('field', (name, value, { valueTruncated }) => {
      if (valueTruncated || name in fields) return refuse(`${name}: may be given once, with at most 4096 bytes`)
      fields[name] = value
    })
    form.on('file', (_name, stream, { filename, mimeType }) => {
      const pieces: Buffer[] = []
      stream.on('data', (piece: Buffer) => pieces.push(piece))
      // It breaks off with the form, which tells of it; unheard it would end the process.
      stream.on('error', () => undefined)
      stream.on('end', () => (file = { bytes: Buffer.concat(pieces), name: filename ?? null, mediaType: mimeType }))
    })
    form.on('filesLimit', () => refuse('A form may hold one document. Send several one by one.'))
    form.on('fieldsLimit', () => refuse('The form has too many fields.'))
    form.on('error', (cause) => refuse('The form is not usable: it ends too soon, or is not one.', cause))
    form.on('close', () => {
      if (!file) return refuse('file: is required: the document itself, as a file of the form')
      if (file.bytes.length > largestDocument) return reject(new NuraError('body-too-large', `The document is larger than ${largestDocument / 1024 / 1024} MB. Send it in parts.`))
      resolve({ ...file, fields })
    })
    form.end(body)
  })
}
