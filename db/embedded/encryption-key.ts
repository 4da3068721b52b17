import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NuraError } from '../nura-error.ts'

/** The embedded store's own key, made on first use in a file that only its owner may read. */
export async function readEncryptionKey(dataDir: string): Promise<Buffer> {
  const file = join(dataDir, 'encryption.key')
  const text = await readFile(file, 'utf8').catch(() => null)
  if (text !== null) {
    const key = Buffer.from(text.trim(), 'base64')
    if (key.length === 32) return key
    throw new NuraError('data-dir-damaged', `The key in ${file} is not whole. Restore it, or delete it and install the apps again.`)
  }
  const key = randomBytes(32)
  await writeFile(file, `${key.toString('base64')}\n`, { mode: 0o600, flag: 'wx' })
  return key
}
