import { createHash } from 'node:crypto'
import type { TenantDb } from '#db/index.ts'
import { readDocumentText, readLibrary } from '#db/tenant/documents.ts'
import { NuraError } from '#db/nura-error.ts'
import { countParts, splitParts, toPartName } from './document-parts.ts'
import { toListingHead, toTree, withTitle } from './listing.ts'
import type { Listed, Tree } from './listing.ts'
import type { Source } from './source.ts'

/** A document, or a part of a long one; `of` names the whole. */
type Part = Listed & { of: { textSha: string; part: number; parts: number } }

/** A library of documents that people gave: its tree is those whose text was read. */
export function createDocumentsSource(tenant: TenantDb, { id, name }: { id: string; name: string }): Source {
  let listed: { tree: Tree; parts: ReadonlyMap<string, Part> } | null = null

  async function list(signal?: AbortSignal) {
    signal?.throwIfAborted()
    const parts = (await readLibrary(tenant, id)).flatMap(({ name: path, title, textSha, size, ...about }): Part[] => {
      const count = countParts(size)
      return Array.from({ length: count }, (_, at) => {
        const blobSha = count === 1 ? textSha : createHash('sha1').update(`${textSha} ${at + 1}/${count}`).digest('hex')
        return { ...about, path: toPartName(path, at + 1, count), title: toPartName(title, at + 1, count), id: blobSha, version: blobSha, blobSha, size: Math.round(size / count), of: { textSha, part: at + 1, parts: count } }
      })
    })
    return (listed = { tree: toTree(parts), parts: new Map(parts.map((part) => [part.id, part])) })
  }

  return {
    kind: 'documents',
    head: async (signal) => toListingHead((await list(signal)).tree, { name, url: null }),

    async tree(sha, signal) {
      const { tree } = listed?.tree.sha === sha ? listed : await list(signal)
      return tree.entries
    },

    async *read(blobShas, signal) {
      const { parts } = listed ?? (await list(signal))
      const held: { textSha: string; pieces: string[] | null } = { textSha: '', pieces: null }
      for (const blobSha of blobShas) {
        signal?.throwIfAborted()
        const part = parts.get(blobSha)
        if (!part) throw new NuraError('missing-object', `The library lacks the document ${blobSha}.`)
        const { of, title } = part
        if (held.textSha !== of.textSha) {
          const text = await readDocumentText(tenant, id, of.textSha)
          Object.assign(held, { textSha: of.textSha, pieces: text === null ? null : splitParts(text, of.parts) })
        }
        const piece = held.pieces?.[of.part - 1]
        yield piece === undefined ? { blobSha, bytes: Buffer.alloc(0), kept: 'gone' as const } : { blobSha, bytes: withTitle(title, piece) }
      }
    },
  }
}
