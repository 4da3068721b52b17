import { open, mkdtemp, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import type { Extract } from 'tar-stream'
import { NuraError } from '#db/nura-error.ts'
import { toBlobSha } from './blob-sha.ts'

/** Contents that were found in an archive. They lie in a file without a name, which is gone when it is closed or we are killed. */
export type Spool = { read(blobSha: string): Promise<Buffer | null>; close(): Promise<void> }

type Entry = Extract extends AsyncIterable<infer One> ? One : never

/** Larger files are passed over; nothing larger is indexed. */
const largestHeld = 32 * 1024 * 1024

/** `maxBytes`: most that the archive may unpack to. `tempDir`: where the file is. */
export type SpoolOptions = { maxBytes: number; tempDir: string; signal?: AbortSignal }

/**
 * Reads a tar.gz once, as it flows, and keeps the wanted contents on disk, by the sha that their bytes have: what an
 * archive left out or altered is simply not found. Ends as soon as everything wanted was found.
 *
 * @throws NuraError `repository-too-large`; whatever the stream throws; leaves nothing behind
 */
export async function spoolArchive(archive: Readable, wanted: ReadonlySet<string>, { maxBytes, tempDir, signal }: SpoolOptions): Promise<Spool> {
  const found = new Map<string, { at: number; length: number }>()
  let file: FileHandle | undefined
  try {
    file = await openNameless(tempDir)
    let length = 0
    for await (const bytes of readFiles(archive, maxBytes, signal)) {
      const content = findWanted(bytes, wanted, found)
      if (!content) continue
      await file.appendFile(content.bytes)
      found.set(content.blobSha, { at: length, length: content.bytes.length })
      length += content.bytes.length
      if (found.size === wanted.size) break
    }
  } catch (error) {
    await file?.close()
    throw error
  } finally {
    // Nobody reads on: neither after a failure nor after the last wanted file.
    archive.destroy()
  }

  const spool = file
  return {
    close: () => spool.close(),
    async read(blobSha) {
      const place = found.get(blobSha)
      if (!place) return null
      const bytes = Buffer.alloc(place.length)
      await spool.read(bytes, 0, place.length, place.at)
      return bytes
    },
  }
}

async function openNameless(tempDir: string): Promise<FileHandle> {
  const dir = await mkdtemp(join(tempDir, 'nura-archive-'))
  try {
    return await open(join(dir, 'blobs'), 'wx+')
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** The content of every file of a tar.gz, each as a whole. */
async function* readFiles(archive: Readable, maxBytes: number, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const entries = extract()
  const flowing = pipeline(archive, createGunzip(), atMost(maxBytes), entries, { signal })
  // Awaited after the entries, which end with it; they must be listened to before the first of them comes.
  flowing.catch(() => undefined)
  try {
    for await (const entry of entries) {
      const bytes = await readEntry(entry)
      if (bytes) yield bytes
    }
  } catch (error) {
    const first: unknown = await flowing.then(() => error, (failure: unknown) => failure)
    throw first instanceof NuraError ? first : error
  }
  await flowing
}

async function readEntry(entry: Entry): Promise<Buffer | null> {
  if (entry.header.type !== 'file' || entry.header.size > largestHeld) {
    entry.resume()
    return null
  }
  const pieces: Buffer[] = []
  for await (const piece of entry) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

/** A file whose attributes ask for CRLF has them in an archive, and not in git. */
function findWanted(bytes: Buffer, wanted: ReadonlySet<string>, found: ReadonlyMap<string, unknown>): { blobSha: string; bytes: Buffer } | null {
  for (const form of [() => bytes, () => withoutReturns(bytes)]) {
    const content = form()
    if (!content) continue
    const blobSha = toBlobSha(content)
    if (wanted.has(blobSha)) return found.has(blobSha) ? null : { blobSha, bytes: content }
  }
  return null
}

function withoutReturns(bytes: Buffer): Buffer | null {
  return bytes.includes('\r\n') ? Buffer.from(bytes.toString('latin1').replaceAll('\r\n', '\n'), 'latin1') : null
}

function atMost(maxBytes: number): Transform {
  let total = 0
  return new Transform({
    transform(bytes: Buffer, _encoding, done) {
      total += bytes.length
      if (total <= maxBytes) return done(null, bytes)
      done(new NuraError('repository-too-large', `The repository unpacks to more than ${Math.round(maxBytes / 1024 ** 2)} MB. Keep large files out of git (Git LFS), or index another repository.`))
    },
  })
}
