import type { IncomingHttpHeaders } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** One request to a model as it came in. */
export type FakeRequest<Body> = {
  at: number
  headers: IncomingHttpHeaders
  /** The key that was sent; null for none. */
  key: string | null
  body: Body
  /** Whether the client closed the connection before the answer was whole. */
  aborted: boolean
  /** What was reported as used; null while nothing was. */
  used: FakeTokens | null
}

/** What goes wrong with one request, at any provider. `after` counts pieces of text that are sent before. */
export type FakeFault =
  /** Takes the request, or says so much, and then nothing. */
  | { kind: 'hang'; after?: number }
  /** `code` is the provider's own word for it; `message` goes before a text that must not be repeated. */
  | { kind: 'status'; status: number; code?: string; message?: string; retryAfter?: string }
  /** The connection is reset. */
  | { kind: 'cut'; after: number }
  /** The body ends properly, but the answer was not whole. */
  | { kind: 'end'; after: number }
  /** A frame that cannot be read. */
  | { kind: 'malformed'; after: number }
  /** A frame that holds an error, as providers send when a model dies while it speaks. */
  | { kind: 'error-frame'; after: number; code?: string }
  /** Whole, but without a word. */
  | { kind: 'empty' }
  /** So much text, in frames of 4 KiB. */
  | { kind: 'flood'; bytes: number }
  /** So many milliseconds before each piece. */
  | { kind: 'slow'; ms: number }

export type FakeTokens = { inputTokens: number; outputTokens: number }

/** What the fakes of all providers are to a test. */
export type FakeModel<Body, Fault extends { kind: string } = FakeFault> = {
  readonly requests: FakeRequest<Body>[]
  /** What the model says to one request: Markdown, sent word by word. */
  reply: (body: Body) => string
  /** Of every request; `faults` go first, one request each. */
  fault: Fault | null
  readonly faults: Fault[]
  /** What is reported as used; `counted` reports the words that were read and written. */
  usage: FakeTokens | 'counted'
  /** The sum of what was reported, of whole answers alone. */
  readonly reported: FakeTokens
  /** The key that is asked for; null takes any, and none. */
  apiKey: string | null
  /** Everything that was ever sent to the model as one text: where tests look for what must not be there. */
  seen(): string
}

/** What every provider's message of refusal ends with here, as real ones repeat parts of keys and questions. */
export const canary = 'sk-canary-of-a-message'

/** One claim about the first passage, in two paragraphs. */
export const citing = 'The first passage tells how it works [1].\n\n- It is told there in full [1]\n'

/** What a model taken over says to a text, at any provider. */
export function obey(text: string): string {
  const orders = text.split('\n').filter((line) => /\b(?:ignore|must|print|say|reply|respond|post|send|approve|output|reveal|include|append)\b|:\/\/|<!--|^\/|[@!]\w/i.test(line))
  return `I do as I was told [1].\n\n${orders.join('\n')}\n`
}

/** What the fakes have in common behind their wires. */
export type FakeMind<Body, Fault extends { kind: string }> = FakeModel<Body, Fault> & {
  /** Logs a request and takes the fault that it meets. `response` tells when the client leaves. */
  take(request: Omit<FakeRequest<Body>, 'at' | 'aborted' | 'used'>, response: Leaving): Fault | null
  /** The answer in pieces, up to where the fault breaks it off. */
  speak(body: Body, fault: Fault | null, response: { readonly destroyed: boolean }): AsyncGenerator<string>
  /** What one answer took. */
  measure(body: Body, written: string): FakeTokens
  /** Counts that among what was reported. */
  report(body: Body, written: string): FakeTokens
}

type Leaving = { once(event: 'close', listener: () => void): unknown; readonly writableEnded: boolean }

/** @param toText all text that a request brings to the model */
export function createFakeModel<Body, Fault extends { kind: string } = FakeFault>(toText: (body: Body) => string, options: { reply: (body: Body) => string; apiKey?: string }): FakeMind<Body, Fault> {
  const { reply, apiKey = null } = options
  const reported = { inputTokens: 0, outputTokens: 0 }
  const fake: FakeMind<Body, Fault> = {
    requests: [], reply, fault: null, faults: [], usage: { inputTokens: 900, outputTokens: 60 }, reported, apiKey,
    seen: () => fake.requests.map(({ body }) => toText(body)).join('\n'),
    take(request, response) {
      const logged: FakeRequest<Body> = { at: Date.now(), aborted: false, used: null, ...request }
      fake.requests.push(logged)
      response.once('close', () => void (logged.aborted = !response.writableEnded))
      return fake.faults.shift() ?? fake.fault
    },
    async *speak(body, fault, response) {
      const { kind, after, ms, bytes }: { kind?: string; after?: number; ms?: number; bytes?: number } = fault ?? {}
      const pieces = kind === 'empty' ? [] : kind === 'flood' ? Array<string>(Math.ceil(bytes! / 4_000)).fill('word '.repeat(800)) : fake.reply(body).split(/(?<=\s)(?=\S)/)
      for (const piece of pieces.slice(0, after)) {
        if (kind === 'slow') await sleep(ms)
        if (response.destroyed) return
        if (kind === 'flood') await new Promise(setImmediate)
        yield piece
      }
    },
    measure: (body, written) => (fake.usage === 'counted' ? { inputTokens: countWords(toText(body)), outputTokens: countWords(written) } : fake.usage),
    report(body, written) {
      const used = fake.measure(body, written)
      const logged = fake.requests.find((request) => request.body === body)
      if (logged) logged.used = used
      reported.inputTokens += used.inputTokens
      reported.outputTokens += used.outputTokens
      return used
    },
  }
  return fake
}

/** A fault that breaks an answer off, after so many pieces; null for one that does not. */
export function toBreak<Fault extends { kind: string }>(fault: Fault | null): Extract<Fault, { after?: number }> | null {
  return fault && 'after' in fault && fault.after !== undefined ? (fault as Extract<Fault, { after?: number }>) : null
}

function countWords(text: string): number {
  return text.split(/\s+/).filter(Boolean).length
}
