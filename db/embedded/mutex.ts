/** One holder at a time, in the order of asking. */
export type Mutex = { acquire(): Promise<() => void> }

export function createMutex(): Mutex {
  let tail: Promise<void> = Promise.resolve()
  return {
    async acquire() {
      const before = tail
      const { promise, resolve } = Promise.withResolvers<void>()
      tail = promise
      await before
      return resolve
    },
  }
}
