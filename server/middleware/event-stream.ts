import { Readable } from 'node:stream'
import type { StreamEvent } from '../routes/route.ts'

/** A comment is sent after this long without an event, so that proxies and clients know the stream is alive. */
const heartbeatMs = 15_000

/**
 * Server-sent events as a byte stream. Opens with a comment, so that headers leave at once; obeys the reader's pace;
 * when the reader goes, the events are told to end.
 */
export function toEventStream(events: AsyncIterable<StreamEvent>, options: { heartbeatMs?: number } = {}): Readable {
  return Readable.from(frames(events, options.heartbeatMs ?? heartbeatMs), { objectMode: false, highWaterMark: 16 * 1024 })
}

async function* frames(events: AsyncIterable<StreamEvent>, quietMs: number): AsyncGenerator<string> {
  yield ': open\n\n'
  const source = events[Symbol.asyncIterator]()
  try {
    let next = source.next()
    for (;;) {
      const read = await orQuiet(next, quietMs)
      if (read === 'quiet') {
        yield ': still working\n\n'
      } else if (read.done) {
        return
      } else {
        yield toFrame(read.value)
        next = source.next()
      }
    }
  } finally {
    // Not awaited: a source that is stuck ends through its abort signal, and must not hold the connection.
    source.return?.().catch(() => undefined)
  }
}

/** JSON has no raw line break, so one `data:` line holds it. */
function toFrame({ event, data }: StreamEvent): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

async function orQuiet<T>(next: Promise<T>, ms: number): Promise<T | 'quiet'> {
  let timer: NodeJS.Timeout | undefined
  const quiet = new Promise<'quiet'>((resolve) => {
    timer = setTimeout(resolve, ms, 'quiet')
  })
  return Promise.race([next, quiet]).finally(() => clearTimeout(timer))
}
