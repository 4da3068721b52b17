import { z } from 'zod'
import { findDocument, listDocuments, removeDocument, storeDocument } from '#db/tenant/documents.ts'
import type { Document } from '#db/tenant/documents.ts'
import { NuraError } from '#db/nura-error.ts'
import { toDocumentKind } from '../documents/kind.ts'
import { openLibrary } from '../documents/open-library.ts'
import { readUpload } from '../documents/read-upload.ts'
import { notFound } from '../errors.ts'
import { redact } from '../indexing/redact.ts'
import { leaveHint } from './leave-hint.ts'
import { defineRoute } from './route.ts'

const DocumentBody = z.object({
  id: z.string(),
  name: z.string(),
  title: z.string(),
  library: z.string().describe('The name under which it is cited and, with its repository id, listed under /v1/repositories'),
  url: z.string().nullable(),
  contentType: z.enum(['documentation', 'business']),
  mediaType: z.string(),
  size: z.int().describe('Bytes'),
  sha256: z.string(),
  state: z.enum(['stored', 'ready', 'partial', 'failed']).describe('stored: it will be read; partial: read but for "unread"; failed: see "error"'),
  error: z.string().nullable().describe('Why nothing of it could be read, and what to send instead'),
  pages: z.int().nullable(),
  unread: z.array(z.object({ page: z.int().nullable(), reason: z.string() })).describe('What could not be read, page by page'),
  createdAt: z.string(),
  changedAt: z.string(),
})

const plainText = /^[^\p{Cc}\p{Cf}]*$/u
const Fields = z.strictObject({
  name: z.string().trim().min(1).max(200, 'may have 200 characters at most').regex(plainText, 'may not hold control characters').optional().describe('What the file is called; a document of the same name in the library is replaced. Default: the name of the file in the form'),
  title: z.string().trim().min(1).max(300, 'may have 300 characters at most').regex(plainText, 'may not hold control characters').optional().describe('Default: the name without its ending'),
  library: z.string().regex(/^[\w.-]+(\/[\w.-]+)?$/, 'may hold letters, digits, dot, hyphen and underscore, and one slash').max(200).default('documents'),
  contentType: z.enum(['documentation', 'business'], 'must be "documentation" or "business"').default('business'),
  audience: z.enum(['tenant', 'granted'], 'must be "tenant" or "granted"').optional().describe('Who may be answered from a library that is made by this; "tenant" unless said'),
  url: z.url({ protocol: /^https$/, error: 'must be the https address where people find the document' }).max(2_000).optional(),
})

const Id = z.object({ id: z.uuid() })

export const addDocumentRoute = defineRoute({
  method: 'POST',
  path: '/v1/documents',
  summary: 'Give a document to be answered from: PDF, Word, Markdown, HTML or text of at most 50 MB; as a form, or as bare bytes with the fields in the query',
  auth: 'tenant',
  query: Fields,
  upload: Fields,
  answers: { status: 202, description: 'Kept; it is read and indexed next. The same bytes under the same name are the document that is there', json: DocumentBody },
  async run({ tenant, query, headers, readBytes, log }, parts) {
    const { bytes, mediaType, fields, name: fileName } = await readUpload(headers, readBytes)
    const { library, audience, contentType, url = null, ...given } = Object.keys(fields).length > 0 ? readFields(fields) : query
    const name = toName(given.name ?? fileName)
    toDocumentKind({ name, mediaType, bytes })
    const { id: repositoryId } = await openLibrary(tenant, { name: library, audience })
    const title = (await redact(given.title ?? (name.replace(/\.[^.]{1,8}$/, '') || name))).text
    const { document, isNew } = await storeDocument(tenant, { repositoryId, name, title, url, contentType, mediaType, bytes })
    await leaveHint(log, () =>
      isNew
        ? parts.enqueue('read-document', { tenantId: tenant.id, documentId: document.id }, { dedupe: document.id })
        : parts.enqueue('sync-repository', { tenantId: tenant.id, repositoryId }, { dedupe: repositoryId }),
    )
    return { status: 202, json: show(document) }
  },
})

export const listDocumentsRoute = defineRoute({
  method: 'GET',
  path: '/v1/documents',
  summary: 'The documents that were given, in order of library and name',
  auth: 'tenant',
  query: z.object({ library: z.string().max(200).optional(), after: z.uuid().optional().describe('Id of the last document of the page before'), limit: z.coerce.number().int().min(1).max(200).default(100) }),
  answers: { status: 200, description: 'At most "limit" of them', json: z.object({ documents: z.array(DocumentBody) }) },
  async run({ tenant, query: { library, after, limit } }) {
    const documents = await listDocuments(tenant, { ...(library === undefined ? {} : { library }), ...(after === undefined ? {} : { after }), limit })
    return { status: 200, json: { documents: documents.map(show) } }
  },
})

export const readDocumentRoute = defineRoute({
  method: 'GET',
  path: '/v1/documents/:id',
  summary: 'One document: how far it is, and page by page what could not be read',
  auth: 'tenant',
  params: Id,
  answers: { status: 200, description: 'The document', json: DocumentBody },
  async run({ tenant, params }) {
    return { status: 200, json: show((await findDocument(tenant, params.id)) ?? notThere()) }
  },
})

export const removeDocumentRoute = defineRoute({
  method: 'DELETE',
  path: '/v1/documents/:id',
  summary: 'Remove a document; it answers no question from now on',
  auth: 'tenant',
  params: Id,
  answers: { status: 204, description: 'Removed' },
  async run({ tenant, params, log }, parts) {
    const { repositoryId } = (await findDocument(tenant, params.id)) ?? notThere()
    await removeDocument(tenant, params.id)
    // A run that listed it before may write it once more; the next one takes it out again.
    await leaveHint(log, () => parts.enqueue('sync-repository', { tenantId: tenant.id, repositoryId }, { dedupe: repositoryId }))
    return { status: 204 }
  },
})

function readFields(fields: Record<string, string>): z.output<typeof Fields> {
  const result = Fields.safeParse({ ...fields })
  if (result.success) return result.data
  const [issue] = result.error.issues
  const field = issue?.code === 'unrecognized_keys' ? issue.keys[0]! : String(issue?.path[0] ?? '')
  const message = issue?.code === 'unrecognized_keys' ? 'is not a field of this request' : issue?.message
  throw new NuraError('bad-input', `${field}: ${message}`, { field })
}

/** Browsers and scripts may send a whole path. */
function toName(name: string | null): string {
  const last = (name ?? '').toWellFormed().replace(/[\p{Cc}\p{Cf}]/gu, '').split(/[/\\]/).at(-1)!.trim().slice(0, 200)
  if (last !== '' && last !== '.' && last !== '..') return last
  throw new NuraError('bad-input', 'name: is required: what the document is called, such as handbook.pdf', { field: 'name' })
}

function show({ id, name, title, library, url, contentType, mediaType, size, sha, state, error, pages, faults, createdAt, changedAt }: Document): z.infer<typeof DocumentBody> {
  return { id, name, title, library, url, contentType, mediaType, size, sha256: sha, state, error, pages, unread: faults, createdAt: createdAt.toISOString(), changedAt: changedAt.toISOString() }
}

function notThere(): never {
  throw notFound()
}
