import type { TenantDb } from '#db/index.ts'
import { countAttempt, findDocument, finishDocument, readOriginal, uncountAttempt } from '#db/tenant/documents.ts'
import type { Document } from '#db/tenant/documents.ts'
import { NuraError } from '#db/nura-error.ts'
import type { Logger } from '../log.ts'
import { extractInThread } from './extract-in-thread.ts'
import { toDocumentKind } from './kind.ts'
import { Unreadable } from './unreadable.ts'

/** A document that took its process down as often as this is not tried again. */
const mostAttempts = 3
const earlier = ' Its earlier version still answers.'

/**
 * Reads the bytes that were given of a document, and drops them: what stays is text, or why there is none. Nothing to do where
 * they were read already.
 * @returns the document as it is now; null when it is gone
 * @throws the signal's reason on abort; what the database throws
 */
export async function readDocument({ log }: { log: Logger }, tenant: TenantDb, id: string, { signal, read = extractInThread }: { signal?: AbortSignal; read?: typeof extractInThread } = {}): Promise<Document | null> {
  const found = await findDocument(tenant, id)
  if (found?.state !== 'stored') return found
  const started = performance.now()
  const { sha, name, mediaType } = found
  try {
    if ((await countAttempt(tenant, id)) > mostAttempts) throw new Unreadable(`The document could not be read: ${mostAttempts} tries ended without a result. Send it in parts, or save it anew.`)
    const bytes = await readOriginal(tenant, id)
    if (bytes === null) throw new Unreadable('The document was not kept whole. Send it again.')
    const { text, pages, faults } = await read({ kind: toDocumentKind({ name, mediaType, bytes }), mediaType, bytes }, signal ? { signal } : {})
    await finishDocument(tenant, { id, sha }, { text, pages, faults })
    log.info({ document: id, bytes: bytes.length, pages, characters: text.length, faults: faults.length, ms: Math.round(performance.now() - started) }, 'document read')
  } catch (error) {
    if (signal?.aborted) {
      await uncountAttempt(tenant, id)
      throw error
    }
    if (!(error instanceof NuraError) || error.retryable) throw error
    const { faults = [], pages = null } = error instanceof Unreadable ? error : {}
    await finishDocument(tenant, { id, sha }, { error: `${error.message}${found.hasText ? earlier : ''}`, faults, pages })
    log.warn({ document: id, code: error.code, err: error.cause, ms: Math.round(performance.now() - started) }, 'document cannot be read; whoever gave it sees why')
  }
  return findDocument(tenant, id)
}
