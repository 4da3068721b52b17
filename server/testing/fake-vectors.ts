import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { lexicalEmbedder } from '../models/lexical.ts'

/** What goes wrong with one request for vectors, whoever serves them. */
export type VectorFault =
  /** Takes the request, and then nothing. */
  | { kind: 'hang' }
  | { kind: 'status'; status: number; code?: string; retryAfter?: string; message?: string }
  /** The connection is reset before, or in the middle of, the answer. */
  | { kind: 'cut' }
  | { kind: 'malformed' }
  /** Vectors of so many dimensions. */
  | { kind: 'dimensions'; count: number }
  | { kind: 'nan' }
  | { kind: 'zero' }
  /** One vector too few. */
  | { kind: 'short' }
  | { kind: 'slow'; ms: number }

/** A fake embedding model: words hashed as the lexical embedder does it, at three times the length, with a log of all that it was given. */
export type FakeVectors = {
  /** The texts of each request, in order. */
  readonly requests: string[][]
  /** Of every request; `faults` go first, one request each. */
  fault: VectorFault | null
  readonly faults: VectorFault[]
  /** Texts with more characters are refused, as by a model that reads less than others. */
  mostCharacters: number
  /** Texts that got vectors. */
  readonly answered: string[]
  /** Tokens of all texts so far. */
  tokens: number
  /** Requests that the client gave up. */
  aborted: number
  /** Every text that was ever sent. */
  texts(): string[]
}

/** How a server says what the fake found. */
export type VectorAnswer = {
  refuse(status: number, fault: { code: string; message: string; retryAfter?: string }): void
  send(vectors: number[][], tokens: number): void
}

/** @returns the fake, and what answers one request with it */
export function createFakeVectors() {
  const fake: FakeVectors = { requests: [], fault: null, faults: [], mostCharacters: Infinity, answered: [], tokens: 0, aborted: 0, texts: () => fake.requests.flat() }

  async function answer(texts: string[], response: ServerResponse, { refuse, send }: VectorAnswer): Promise<void> {
    fake.requests.push(texts)
    response.once('close', () => void (fake.aborted += response.writableEnded ? 0 : 1))
    const fault = fake.faults.shift() ?? fake.fault
    if (fault?.kind === 'hang') return
    if (fault?.kind === 'slow') await sleep(fault.ms)
    if (fault?.kind === 'cut') return void response.destroy()
    if (fault?.kind === 'malformed') {
      response.writeHead(200, { 'content-type': 'application/json' })
      return void response.end('{"data": [{"embedding"')
    }
    if (fault?.kind === 'status') {
      const { status, code = 'fault', message = `Refused with ${status}: sk-canary-of-a-message`, retryAfter } = fault
      return refuse(status, { code, message, ...(retryAfter === undefined ? {} : { retryAfter }) })
    }
    // As the real ones: a text that is empty or too long is at fault for all.
    if (texts.some((text) => text === '' || text.length > fake.mostCharacters)) return refuse(400, { code: 'invalid_input', message: `canary ${texts[0]?.slice(0, 20)}` })
    const tokens = texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0)
    fake.tokens += tokens
    if (fault === null || fault.kind === 'slow') fake.answered.push(...texts)
    send(spoil(await toVectors(texts), fault), tokens)
  }

  return { fake, answer }
}

async function toVectors(texts: string[]): Promise<number[][]> {
  return (await lexicalEmbedder.embed(texts, 'document')).map((vector) => vector.map((value) => value * 3))
}

function spoil(vectors: number[][], fault: VectorFault | null): number[][] {
  if (fault?.kind === 'short') return vectors.slice(1)
  if (fault?.kind === 'dimensions') return vectors.map((vector) => Array.from({ length: fault.count }, (_, at) => vector[at] ?? 0.1))
  if (fault?.kind === 'nan') return vectors.map((vector) => vector.with(7, Number.NaN))
  if (fault?.kind === 'zero') return vectors.map((vector) => vector.map(() => 0))
  return vectors
}
