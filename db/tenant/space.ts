import { createHash } from 'node:crypto'
import { NuraError } from '../nura-error.ts'

const spaces = /^[a-z0-9][a-z0-9._:/-]{0,126}$/

/**
 * An embedding space as an SQL literal. A partial index is only used when the query names the same literal, so this is
 * the one value that is not bound; hence the check.
 */
export function toSpaceLiteral(space: string): string {
  if (!spaces.test(space)) throw new NuraError('bad-embedding-space', `An embedding space is named like "lexical:default", not ${JSON.stringify(space.slice(0, 40))}.`)
  return `'${space}'`
}

export function toVectorIndexName(space: string): string {
  return `knowledge_base_hnsw_${createHash('sha256').update(space).digest('hex').slice(0, 12)}`
}

/** @throws NuraError `wrong-dimensions`, so that vectors of another model never reach a space */
export function toVectorText(vector: number[]): string {
  if (vector.length !== 1024) throw new NuraError('wrong-dimensions', `The embedding model returned ${vector.length} dimensions; Nura stores 1024. Choose a model with 1024.`)
  let text = '['
  for (let at = 0; at < 1024; at++) {
    const value = vector[at]!
    if (!Number.isFinite(value)) throw new NuraError('wrong-dimensions', 'The embedding model returned a vector with a value that is not a number.')
    // Nine decimals are more than a float4 keeps of a unit vector, and half the bytes of the double behind it.
    text += `${at === 0 ? '' : ','}${Math.round(value * 1e9)}e-9`
  }
  return `${text}]`
}
