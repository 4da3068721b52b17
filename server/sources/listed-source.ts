import { NuraError } from '#db/nura-error.ts'
import { toListingHead, toTree, withTitle } from './listing.ts'
import type { Listed, Tree } from './listing.ts'
import { readAhead } from './read-ahead.ts'
import type { Source } from './source.ts'
import type { SkipReason } from './skip.ts'

/** What was read of a listed document: its text in Markdown, or why it may be read no more. */
export type ReadListed = { text: string } | { kept: SkipReason }

/** What differs between one site that lists its documents and another. */
export type ListedSite = {
  kind: string
  /** One call or two that say whether everything can be read. @throws NuraError that names what to grant */
  check(signal?: AbortSignal): Promise<{ name: string; url: string | null }>
  /** Every document there is, those that not everyone may read with `kept`. Never a part: what is not listed is deleted. */
  list(signal?: AbortSignal): Promise<Listed[]>
  /** Those of them that changed, in the order given. */
  read(documents: Listed[], signal?: AbortSignal): AsyncIterable<ReadListed>
}

/** A site as a source: its listing is the tree, and the digest of the listing the head. */
export function createListedSource({ kind, check, list, read }: ListedSite): Source {
  let listed: { tree: Tree; name: string; url: string | null } | null = null

  async function look(signal?: AbortSignal) {
    signal?.throwIfAborted()
    const about = await check(signal)
    return (listed = { ...about, tree: toTree(await list(signal)) })
  }

  return {
    kind,
    check,

    async head(signal) {
      const { tree, ...about } = await look(signal)
      return toListingHead(tree, about)
    },

    async tree(sha, signal) {
      const { tree } = listed?.tree.sha === sha ? listed : await look(signal)
      return tree.entries
    },

    async *read(blobShas, signal) {
      const { tree } = listed ?? (await look(signal))
      const documents = blobShas.map((blobSha) => tree.byBlob.get(blobSha) ?? missing(blobSha))
      let next = 0
      for await (const result of read(documents, signal)) {
        const [blobSha, { title }] = [blobShas[next]!, documents[next]!]
        next++
        if ('kept' in result) yield { blobSha, bytes: Buffer.alloc(0), kept: result.kept }
        else yield { blobSha, bytes: result.text.trim() === '' ? Buffer.alloc(0) : withTitle(title, result.text.trim()) }
      }
    },
  }
}

/** Reads documents each by a call of its own; one that is gone since it was listed, or closed, is no failure of the others. */
export async function* readEach(documents: Listed[], readOne: (document: Listed) => Promise<ReadListed>): AsyncGenerator<ReadListed> {
  yield* readAhead(documents, (document) => readOne(document).catch(toKept))
}

export function toKept(error: unknown): ReadListed {
  if (error instanceof NuraError && error.code === 'source-missing') return { kept: 'gone' }
  if (error instanceof NuraError && error.code === 'source-forbidden') return { kept: 'restricted' }
  throw error
}

function missing(blobSha: string): never {
  throw new NuraError('missing-object', `The source has no document ${blobSha} any more.`)
}
