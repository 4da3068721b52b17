import { z } from 'zod'
import type { Db, TenantDb } from '#db/index.ts'
import type { Document } from '#db/tenant/documents.ts'
import { NuraError } from '#db/nura-error.ts'
import { exclusively } from '#db/shared/exclusive.ts'
import type { Enqueue } from './enqueue.ts'
import { defineJob } from './job.ts'

export type ReadDocumentParts = {
  db: Db
  enqueue: Enqueue
  /** Makes text of what was given, in a thread of its own; see `readDocument`. */
  readDocument(tenant: TenantDb, id: string, options: { signal: AbortSignal }): Promise<Document | null>
}

/** Milliseconds before a run looks again whether the other one has ended. */
const busyMs = 500

/** Reads a document that was given, then has its library indexed. One that was read already needs nothing. */
export const readDocument = defineJob({
  name: 'read-document',
  payload: z.strictObject({ tenantId: z.uuid(), documentId: z.uuid() }),
  options: { attempts: 5, backoffMs: 2_000, concurrency: 2, perTenant: 1 },
  async run({ tenantId, documentId }, parts: ReadDocumentParts, { signal }) {
    signal.throwIfAborted()
    const tenant = await parts.db.tenant(tenantId)
    const ran = await exclusively(parts.db, `document ${tenantId} ${documentId}`, async () => {
      const document = await parts.readDocument(tenant, documentId, { signal })
      // Without text there is nothing new to index; what the index lacks for another reason is found by its sweeper.
      if (document && document.state !== 'failed') await parts.enqueue('sync-repository', { tenantId, repositoryId: document.repositoryId }, { dedupe: document.repositoryId })
    })
    if (!ran) throw new NuraError('document-busy', 'The document is being read by another process.', { retryable: true, retryAt: new Date(Date.now() + busyMs) })
  },
})
