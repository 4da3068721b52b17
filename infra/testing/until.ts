import { setTimeout as sleep } from 'node:timers/promises'

/** Polls until `read` gives something, for what another process does in its own time. @throws Error naming `what` after `withinMs` */
export async function until<T>(what: string, read: () => T | undefined | false | Promise<T | undefined | false>, withinMs = 40_000): Promise<T> {
  for (const end = Date.now() + withinMs; Date.now() < end; await sleep(50)) {
    const found = await read()
    if (found !== undefined && found !== false) return found
  }
  throw new Error(`waited ${withinMs / 1000} s for ${what}`)
}
