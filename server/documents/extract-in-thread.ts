import { Worker } from 'node:worker_threads'
import type { ExtractRequest } from './extract.ts'
import type { Extracted } from './extracted.ts'
import type { ThreadAnswer } from './thread/thread-answer.ts'
import { Unreadable } from './unreadable.ts'

/** `maxMemoryMb` counts what the thread holds beyond the document itself. */
export type ThreadLimits = { timeoutMs: number; maxMemoryMb: number }

const usual: ThreadLimits = { timeoutMs: 120_000, maxMemoryMb: 768 }
/** How often the memory outside the heap is looked at, which no limit of Node's covers. */
const lookMs = 100

/**
 * Reads a document in a thread of its own, which is ended when it takes too long or too much, so that answers go on meanwhile
 * and no document can take the process down.
 * @throws Unreadable; the signal's reason on abort
 */
export async function extractInThread({ kind, mediaType, bytes }: ExtractRequest, { signal, limits = usual }: { signal?: AbortSignal; limits?: ThreadLimits } = {}): Promise<Extracted> {
  signal?.throwIfAborted()
  // A copy of the thread's own, handed over whole: a buffer may be a part of one that others use.
  const own = new Uint8Array(bytes)
  const thread = new Worker(new URL('./thread/main.ts', import.meta.url), {
    name: 'read document',
    workerData: { kind, mediaType, bytes: own },
    transferList: [own.buffer],
    resourceLimits: { maxOldGenerationSizeMb: limits.maxMemoryMb, maxYoungGenerationSizeMb: 64, stackSizeMb: 4 },
    // Neither keys nor options of the process are for what reads strangers' files.
    env: {},
    execArgv: [],
    stdout: true,
    stderr: true,
  })
  const watch = new AbortController()
  try {
    const answer = await Promise.race([toAnswer(thread), overTime(limits.timeoutMs, watch.signal), overMemory(thread, limits.maxMemoryMb, bytes.length, watch.signal), untilAborted(signal, watch.signal)])
    if ('extracted' in answer) return answer.extracted
    if ('unreadable' in answer) throw new Unreadable(answer.unreadable.message, answer.unreadable)
    throw new Unreadable('The document could not be read: it is damaged, or made in a way that Nura does not know. Save it anew, or as PDF, and send that.', { cause: answer.failure })
  } finally {
    watch.abort()
    await thread.terminate()
  }
}

function toAnswer(thread: Worker): Promise<ThreadAnswer> {
  return new Promise((resolve, reject) => {
    thread.once('message', resolve)
    thread.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooMuch(error) : error))
    thread.once('exit', () => resolve({ failure: 'the thread ended without an answer' }))
  })
}

function overTime(ms: number, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => reject(new Unreadable(`Reading the document took longer than ${ms / 1000} s and was given up. Send it in parts.`)), ms)
    over.addEventListener('abort', () => clearTimeout(timer), { once: true })
  })
}

/** What is unpacked lies outside the heap, where a small file may become a very large one. */
function overMemory(thread: Worker, mostMb: number, own: number, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setInterval(() => {
      thread.getHeapStatistics().then(
        ({ external_memory: external, used_heap_size: heap }) => {
          if (external + heap - own > mostMb * 1024 * 1024) reject(tooMuch())
        },
        // It has ended, and says how by itself.
        () => undefined,
      )
    }, lookMs)
    over.addEventListener('abort', () => clearInterval(timer), { once: true })
  })
}

function untilAborted(signal: AbortSignal | undefined, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true, signal: over }))
}

function tooMuch(cause?: unknown): Unreadable {
  return new Unreadable('Reading the document took more memory than any document needs, and was given up. Send it in parts, or without its pictures.', { cause })
}
