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

/** Sixteen digits, a sign, `e-9` and a comma fit for each value. */
const scratch = Buffer.alloc(2 + 1024 * 24)
const largest = 2 ** 53

/** @throws NuraError `wrong-dimensions`, so that vectors of another model never reach a space */
export function toVectorText(vector: number[]): string {
  if (vector.length !== 1024) throw new NuraError('wrong-dimensions', `The embedding model returned ${vector.length} dimensions; Nura stores 1024. Choose a model with 1024.`)
  let at = scratch.write('[', 'latin1')
  for (let index = 0; index < 1024; index++) {
    // Nine decimals are more than a float4 keeps of a unit vector, and half the bytes of the double behind it.
    const nanos = Math.round(vector[index]! * 1e9)
    if (!(Math.abs(nanos) <= largest)) throw new NuraError('wrong-dimensions', 'The embedding model returned a vector with a value that is not a number, or far too large.')
    if (index > 0) scratch[at++] = comma
    at = writeWhole(nanos, at)
    scratch[at++] = letterE
    scratch[at++] = minus
    scratch[at++] = nine
  }
  at += scratch.write(']', at, 'latin1')
  return scratch.toString('latin1', 0, at)
}

/** A vector's text has commas and no quotes: quoted, it needs no look at every character, which megabytes of them would cost. */
export function toVectorArrayText(texts: string[]): string {
  return texts.length === 0 ? '{}' : `{"${texts.join('","')}"}`
}

const [comma, minus, zero, nine, letterE] = [0x2c, 0x2d, 0x30, 0x39, 0x65] as const

/** Writes a whole number into `scratch`, last digit first. @returns where it ends */
function writeWhole(value: number, at: number): number {
  if (value < 0) scratch[at++] = minus
  let rest = Math.abs(value)
  let digits = 1
  for (let bound = 10; bound <= rest; bound *= 10) digits++
  for (let digit = at + digits - 1; digit >= at; digit--) {
    const next = Math.floor(rest / 10)
    scratch[digit] = zero + (rest - next * 10)
    rest = next
  }
  return at + digits
}
