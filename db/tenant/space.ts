import { createHash } from 'node:crypto'
import { NuraError } from '../nura-error.ts'
import type { Transaction } from '../transaction.ts'

const spaces = /^[a-z0-9][a-z0-9._:/-]{0,126}$/

/**
 * An embedding space as an SQL literal. A partial index is only used when the query names the same literal, so this is
 * the one value that is not bound; hence the check.
 */
export function toSpaceLiteral(space: string): string {
  if (!spaces.test(space)) throw new NuraError('bad-embedding-space', `An embedding space is named like "lexical:default", not ${JSON.stringify(space.slice(0, 40))}.`)
  return `'${space}'`
}

/** What was begun in one space met an index in another: beginning again reads which. */
export function spaceChanged(space: string, active: string | null): NuraError {
  return new NuraError('space-changed', `The index is in the embedding space ${active ?? 'of nothing yet'}, not ${space}. Begin again with an embedder of that space.`, {
    retryable: true,
    retryAt: new Date(),
  })
}

export function toVectorIndexName(space: string): string {
  return `knowledge_base_hnsw_${createHash('sha256').update(space).digest('hex').slice(0, 12)}`
}

export const dimensions = 1024

/** The binary form of a `vector`. @throws NuraError `wrong-dimensions`, so that vectors of another model never reach a space */
export function toVectorBytes(vector: number[]): Buffer {
  if (vector.length !== dimensions) throw new NuraError('wrong-dimensions', `The embedding model returned ${vector.length} dimensions; Nura stores ${dimensions}. Choose a model with ${dimensions}.`)
  const values = Float32Array.from(vector)
  if (!values.every(Number.isFinite)) throw new NuraError('wrong-dimensions', 'The embedding model returned a vector with a value that is not a number, or far too large.')
  const bytes = Buffer.allocUnsafe(4 + values.byteLength)
  bytes.writeUInt16BE(dimensions, 0)
  bytes.writeUInt16BE(0, 2)
  bytes.set(new Uint8Array(values.buffer), 4)
  // The network's order of bytes is not that of any processor in use.
  bytes.subarray(4).swap32()
  return bytes
}

/** Numbers of the types of pgvector, which every database gives out itself. */
export async function readVectorTypes(tx: Transaction): Promise<{ vector: number; sparsevec: number }> {
  const [types] = await tx.query<{ vector: number; sparsevec: number }>(`select 'vector'::regtype::oid::int8::float8 as vector, 'sparsevec'::regtype::oid::int8::float8 as sparsevec`)
  return types!
}
