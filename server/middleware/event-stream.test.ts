import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import { createParser } from 'eventsource-parser'
import { expect, it } from 'vitest'
import type { StreamEvent } from '../routes/route.ts'
import { toEventStream } from './event-stream.ts'

async function* from(events: StreamEvent[]): AsyncGenerator<StreamEvent> {
  yield* events
}

it('carries any event unharmed, whatever its data holds', async () => {
  const event = fc.record({ event: fc.constantFrom('status', 'token', 'done'), data: fc.record({ text: fc.string({ unit: 'grapheme' }) }) })
  await fc.assert(
    fc.asyncProperty(fc.array(event), async (events) => {
      const seen: StreamEvent[] = []
      createParser({ onEvent: (read) => seen.push({ event: read.event ?? '', data: JSON.parse(read.data) }) }).feed(await text(toEventStream(from(events))))
      expect(seen).toEqual(events)
    }),
  )
})

it('says that it is alive while nothing happens', async () => {
  const gate = Promise.withResolvers<void>()
  async function* slow(): AsyncGenerator<StreamEvent> {
    await gate.promise
    yield { event: 'done', data: {} }
  }
  let seen = ''
  for await (const piece of toEventStream(slow(), { heartbeatMs: 5 })) {
    seen += String(piece)
    if (seen.includes('still working')) gate.resolve()
  }
  expect(seen).toMatch(/^: open\n\n(: still working\n\n)+event: done\ndata: \{\}\n\n$/)
})

it('tells the source to end when its reader goes, and does not wait for it', async () => {
  const told = Promise.withResolvers<void>()
  const source: AsyncIterable<StreamEvent> = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: false, value: { event: 'token', data: 'x'.repeat(20_000) } }),
      return: () => {
        told.resolve()
        return new Promise(() => undefined)
      },
    }),
  }
  const stream = toEventStream(source)
  await once(stream, 'readable')
  stream.read()
  const closed = once(stream, 'close')
  stream.destroy()
  await Promise.all([told.promise, closed])
  expect(stream.destroyed).toBe(true)
})
