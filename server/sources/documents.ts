import type { TenantDb } from '#db/index.ts'
import { readDocumentText, readLibrary } from '#db/tenant/documents.ts'
import { NuraError } from '#db/nura-error.ts'
import { toListingHead, toTree, withTitle } from './listing.ts'
import type { Tree } from './listing.ts'
import type { Source } from './source.ts'

/** A library of documents that people gave: its tree is those whose text was read. */
export function createDocumentsSource(tenant: TenantDb, { id, name }: { id: string; name: string }): Source {
  let tree: Tree | null = null

  async function list(signal?: AbortSignal): Promise<Tree> {
    signal?.throwIfAborted()
    const documents = await readLibrary(tenant, id)
    return (tree = toTree(documents.map(({ name: path, textSha, ...document }) => ({ ...document, id: textSha, version: textSha, blobSha: textSha, path }))))
  }

  return {
    kind: 'documents',
    head: async (signal) => toListingHead(await list(signal), { name, url: null }),

    async tree(sha, signal) {
      const current = tree?.sha === sha ? tree : await list(signal)
      return current.entries
    },

    async *read(blobShas, signal) {
      const { byBlob } = tree ?? (await list(signal))
      for (const blobSha of blobShas) {
        signal?.throwIfAborted()
        const listed = byBlob.get(blobSha)
        if (!listed) throw new NuraError('missing-object', `The library lacks the document ${blobSha}.`)
        const text = await readDocumentText(tenant, id, listed.version)
        yield text === null ? { blobSha, bytes: Buffer.alloc(0), kept: 'gone' as const } : { blobSha, bytes: withTitle(listed.title, text) }
      }
    },
  }
}
