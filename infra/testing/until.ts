import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Polls until `read` gives something, for what another process does in its own time. Ask seldom where asking costs it much.
 * @param what a function, where it tells what had come of it by the end
 * @throws Error naming `what` after `withinMs`
 */
export async function until<T>(what: string | (() => string), read: () => T | undefined | false | Promise<T | undefined | false>, { withinMs = 100_000, everyMs = 50 } = {}): Promise<T> {
  for (const end = Date.now() + withinMs; Date.now() < end; await sleep(everyMs)) {
    const found = await read()
    if (found !== undefined && found !== false) return found
  }
  throw new Error(`waited ${withinMs / 1000} s for ${typeof what === 'string' ? what : what()}`)
}
