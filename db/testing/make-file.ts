import { createHash } from 'node:crypto'
import type { ChunkWrite, FileWrite } from '../tenant/write-files.ts'

/** A unit vector that depends on `seed` alone. */
export function makeVector(seed: string): number[] {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0) | 1
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32 - 0.5
  }
  const vector = Array.from({ length: 1024 }, next)
  const length = Math.hypot(...vector)
  return vector.map((value) => value / length)
}

/** A file to write whose chunks are the given texts, one line each. */
export function makeFile(path: string, texts: string[], overrides: Partial<FileWrite> = {}): FileWrite {
  return {
    path,
    stem: path.replace(/\.[^./]+$/, ''),
    blobSha: createHash('sha1').update(texts.join('\n')).digest('hex'),
    size: texts.join('\n').length,
    language: 'typescript',
    contentType: 'code',
    skipReason: null,
    tokens: [...texts.flatMap(toWords), ...toWords(path)],
    chunks: texts.map(makeChunk),
    symbols: [],
    edges: [],
    ...overrides,
  }
}

export function makeChunk(text: string, ordinal: number): ChunkWrite {
  return { key: createHash('sha256').update(text).digest('hex'), content: text, ordinal, startLine: ordinal + 1, endLine: ordinal + 1, scope: [], tokens: toWords(text), embedding: makeVector(text) }
}

export function toWords(text: string): string[] {
  return text.toLowerCase().split(/[^a-z0-9]+/).filter((word) => word !== '')
}
