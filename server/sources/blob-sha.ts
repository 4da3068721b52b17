import { createHash } from 'node:crypto'

/** git's name of a file's content. */
export function toBlobSha(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
}
