import { parentPort, workerData } from 'node:worker_threads'
import { extract } from '../extract.ts'
import type { ExtractRequest } from '../extract.ts'
import { Unreadable } from '../unreadable.ts'
import type { ThreadAnswer } from './thread-answer.ts'

/** The thread that one document is read in. What it knows of the process is the document alone. */
async function main(): Promise<ThreadAnswer> {
  const { kind, mediaType, bytes } = workerData as Omit<ExtractRequest, 'bytes'> & { bytes: Uint8Array }
  try {
    return { extracted: await extract({ kind, mediaType, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) }) }
  } catch (error) {
    if (error instanceof Unreadable) return { unreadable: { message: error.message, faults: error.faults, pages: error.pages } }
    return { failure: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
  }
}

parentPort?.postMessage(await main())
