import { createHash } from 'node:crypto'

/** Bytes of the longest path that is indexed; git allows any, an index of PostgreSQL some 2,700. */
const longestPath = 1024

/** A path as it is stored: one that is too long is cut, and told from others by its hash. It stays longer than what is indexed. */
export function boundPath(path: string): string {
  if (Buffer.byteLength(path) <= longestPath) return path
  // A character may be cut in two, and is then shown as one that cannot be read.
  return `${Buffer.from(path).toString('utf8', 0, longestPath)}…${createHash('sha1').update(path).digest('hex')}`
}
