import { getHeapStatistics } from 'node:v8'
import { NuraError } from '#db/nura-error.ts'

/** What requests may hold of bodies, all together. */
export type BodyMemory = {
  /**
   * Begins to count for one request. Whoever holds the body calls `free` when the request is over.
   * @returns `take` counts bytes that came, and throws NuraError `too-busy` when there is no room for them
   */
  open(): { take(bytes: number): void; free(): void }
}

/** So much of each body is not counted: what people say in chats gets in while others send books. */
const uncounted = 64 * 1024
const againMs = 5_000

/**
 * Bounds the memory of bodies, so that a crowd of large ones is told to come again before it costs the process its life. One
 * body has room whatever its size when no other is held.
 * @param most in bytes
 */
export function createBodyMemory(most: number = Math.min(128 * 1024 * 1024, getHeapStatistics().heap_size_limit / 4)): BodyMemory {
  let held = 0
  return {
    open() {
      let size = 0
      let own = 0
      return {
        take(bytes) {
          size += bytes
          const counted = Math.max(0, size - uncounted) - own
          const others = held - own
          if (others > 0 && held + counted > most) {
            throw new NuraError('too-busy', 'Too many large requests are being read at the moment. Send it again in a few seconds.', { retryable: true, retryAt: new Date(Date.now() + againMs) })
          }
          held += counted
          own += counted
        },
        free() {
          held -= own
          own = 0
        },
      }
    },
  }
}
