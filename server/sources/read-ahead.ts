/** Reads one by one in the order given, the next few meanwhile. Each is asked for once at a time, and none after a failure. */
export async function* readAhead<Item, Result>(items: readonly Item[], read: (item: Item) => Promise<Result>, ahead = 4): AsyncGenerator<Result> {
  const reading: Promise<Result>[] = []
  for (let at = 0; at < items.length; at++) {
    while (reading.length < ahead && at + reading.length < items.length) {
      const result = read(items[at + reading.length]!)
      // Awaited in its turn; a failure before that must not end the process.
      result.catch(() => undefined)
      reading.push(result)
    }
    yield await reading.shift()!
  }
}
