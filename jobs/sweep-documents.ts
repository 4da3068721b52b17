import { z } from 'zod'
import { listTenants } from '#db/shared/tenants.ts'
import { unreadDocuments } from '#db/tenant/documents.ts'
import { listRepositories } from '#db/tenant/repositories.ts'
import { createDocumentsSource } from '#server/sources/documents.ts'
import { defineJob } from './job.ts'
import type { SweepParts } from './sweep-inbox.ts'

/** Documents of a tenant that one sweep queues; the next one goes on. */
const batch = 100

/** Queues again the documents that wait to be read, and the libraries whose index is behind their documents. */
export const sweepDocuments = defineJob({
  name: 'sweep-documents',
  payload: z.strictObject({}),
  options: { attempts: 1, backoffMs: 0, concurrency: 1, every: { ms: 15_000 } },
  async run(_, { db, enqueue }: SweepParts, { signal }) {
    for (const { id: tenantId } of await listTenants(db)) {
      signal.throwIfAborted()
      const tenant = await db.tenant(tenantId)
      for (const { id: documentId } of await unreadDocuments(tenant, batch)) await enqueue('read-document', { tenantId, documentId }, { dedupe: documentId })
      for (const library of await listRepositories(tenant)) {
        if (library.source !== 'documents' || (library.state !== 'ready' && library.state !== 'failed')) continue
        const { sha } = await createDocumentsSource(tenant, library).head(signal)
        if (sha !== library.indexedSha) await enqueue('sync-repository', { tenantId, repositoryId: library.id }, { dedupe: library.id })
      }
    }
  },
})
