import { tokens } from '../tokens.ts'
import { toEmbedders } from './embedder.ts'
import type { Embedder } from './embedder.ts'

const dimensions = 1024
/** Weight of all trigrams of a word against the word itself: `authorize` and `authorization` meet in them. */
const trigramWeight = 0.3

/**
 * An embedder without a model: words hashed into 1024 signed buckets, the hashing trick of Weinberger et al., «Feature
 * Hashing for Large Scale Multitask Learning» (ICML 2009), with sublinear term frequency and length 1.
 *
 * It knows no meaning: two texts are near when they share words, parts of identifiers or runs of letters. It needs no
 * key and no network, gives the same vector everywhere, and lets everything else run as with a real model.
 */
export const lexicalEmbedder: Embedder = {
  space: 'lexical:default',
  dimensions,
  maxBatch: 512,
  async embed(texts, _kind, signal) {
    signal?.throwIfAborted()
    return texts.map(toVector)
  },
}

/** Where nothing else is configured. */
export const lexicalEmbedders = toEmbedders([lexicalEmbedder])

function toVector(text: string): number[] {
  const counts = new Map<string, number>()
  for (const token of tokens(text)) counts.set(token, (counts.get(token) ?? 0) + 1)
  const vector = new Float64Array(dimensions)
  for (const [token, count] of counts) {
    const weight = 1 + Math.log(count)
    const features = featuresOf(token)
    const part = (weight * trigramWeight) / Math.sqrt(features.length)
    for (let index = 0; index < features.length; index++) {
      const feature = features[index]!
      const value = index === 0 ? weight : part
      vector[feature >>> 22]! += feature & 1 ? value : -value
    }
  }
  let squares = 0
  for (const value of vector) squares += value * value
  // A text without words still needs a direction: cosine distance to the zero vector is undefined.
  if (squares === 0) vector[0] = squares = 1
  const length = Math.sqrt(squares)
  // Divided in place, as `Array.from` is several times faster without a function.
  for (let at = 0; at < dimensions; at++) vector[at]! /= length
  return Array.from(vector)
}

const hashed = new Map<string, Uint32Array>()
const mostHashed = 50_000

/** Hashes of a word and then of its trigrams. The top ten bits name the bucket, the lowest the sign. */
function featuresOf(token: string): Uint32Array {
  const known = hashed.get(token)
  if (known) return known
  const features = [hash(token)]
  for (let start = 0; start + 3 <= token.length && token.length > 3; start++) features.push(hash(`#${token.slice(start, start + 3)}`))
  const found = Uint32Array.from(features)
  if (hashed.size >= mostHashed) hashed.clear()
  hashed.set(token, found)
  return found
}

/** FNV-1a with the finalizer of MurmurHash3, whose top bits FNV alone leaves weak. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
