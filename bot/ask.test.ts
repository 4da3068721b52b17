import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { jwtVerify } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import type { AnswerPart } from '#server/answer-part.ts'
import { createNuraApi } from './nura-api.ts'
import { sampleCitation, sampleDone, shortAnswer, startFakeAskServer } from './testing/fake-ask-server.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function serve(answer: (response: ServerResponse, count: number) => void): Promise<string> {
  let count = 0
  const server = createServer((request, response) => {
    request.resume()
    answer(response, ++count)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(async () => (server.closeAllConnections(), server.close()))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const secret = 'a secret of at least thirty-two bytes'
async function collect(url: string, signal = new AbortController().signal): Promise<AnswerPart[]> {
  const api = createNuraApi({ url, secret }).as('00000000-0000-4000-8000-000000000001', 'slack:T1:U1')
  return await Array.fromAsync(api.ask({ question: 'q', audience: { kind: 'tenant' } }, signal))
}

describe('ask', () => {
  it('yields the parts as the server sent them, with a short-lived token for tenant and asker', async () => {
    const server = await startFakeAskServer()
    closers.push(server.close)
    expect(await collect(server.url)).toEqual([
      { kind: 'status', text: 'Searching acme/api' },
      { kind: 'citation', citation: sampleCitation },
      { kind: 'text', markdown: 'Signatures are verified in `verify` [1].' },
      { ...sampleDone('answer-1'), freshness: expect.any(Array) as unknown },
    ])
    const { payload } = await jwtVerify((server.asked[0]?.authorization ?? '').replace('Bearer ', ''), new TextEncoder().encode(secret), { audience: 'nura' })
    expect(payload).toMatchObject({ sub: 'slack:T1:U1', tenant: '00000000-0000-4000-8000-000000000001' })
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60)
  })

  it('reads events however the bytes are cut', async () => {
    const text = shortAnswer('Größe – 👍 [1].').map((part) => {
      const { kind, ...rest } = part
      return part.kind === 'text' ? `event: token\ndata: ${JSON.stringify({ text: part.markdown })}\n\n` : part.kind === 'citation' ? `event: citation\ndata: ${JSON.stringify(part.citation)}\n\n` : `event: ${kind}\ndata: ${JSON.stringify(rest)}\n\n`
    })
    const bytes = Buffer.from(`: hello\n\nevent: unheard\ndata: {}\n\n${text.join('')}`)
    const url = await serve((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      let at = 0
      const next = () => {
        if (at >= bytes.length) response.end()
        else response.write(bytes.subarray(at, (at += 7)), next)
      }
      next()
    })
    expect((await collect(url)).map(({ kind }) => kind)).toEqual(['status', 'citation', 'text', 'done'])
  })

  it.each<[string, (response: ServerResponse) => void, Partial<Extract<AnswerPart, { kind: 'error' }>>]>([
    ['ends without an end', (response) => response.writeHead(200).end('event: token\ndata: {"text":"x"}\n\n'), { code: 'stream-ended', retryable: true }],
    ['sends what is no part', (response) => response.writeHead(200).end('event: token\ndata: {"text":5}\n\n'), { code: 'stream-broken', retryable: true }],
    ['sends what is no JSON', (response) => response.writeHead(200).end('event: token\ndata: {oops\n\n'), { code: 'stream-broken' }],
    ['refuses with a reason', (response) => response.writeHead(400).end(JSON.stringify({ error: { code: 'bad-question', message: 'too long', retryable: false, ref: 'ABC123' } })), { code: 'bad-question', message: 'too long', retryable: false, ref: 'ABC123' }],
    ['takes no more questions just now', (response) => response.writeHead(429, { 'retry-after': '42' }).end(JSON.stringify({ error: { code: 'too-many-requests', message: 'Ask again in 42 seconds.', retryable: true, ref: 'ABC123' } })), { code: 'too-many-requests', message: 'Ask again in 42 seconds.', retryable: true }],
    ['refuses without one', (response) => response.writeHead(500).end('<html>'), { code: 'server-refused', retryable: true }],
  ])('ends with one error when the server %s', async (_, answer, expected) => {
    const parts = await collect(await serve(answer))
    expect(parts.filter(({ kind }) => kind === 'error' || kind === 'done')).toEqual([parts.at(-1)])
    expect(parts.at(-1)).toMatchObject({ kind: 'error', ...expected })
  })

  it('asks once a server that takes no more questions', async () => {
    let asked = 0
    const url = await serve((response) => (asked++, response.writeHead(429, { 'retry-after': '1' }).end(JSON.stringify({ error: { code: 'too-many-requests', message: 'Ask again in 1 second.', retryable: true, ref: 'ABC123' } }))))
    await collect(url)
    expect(asked).toBe(1)
  })

  it('waits out a server that restarts', async () => {
    const url = await serve((response, count) => (count < 3 ? response.writeHead(503).end() : response.writeHead(200).end(`event: done\ndata: ${JSON.stringify(sampleDone())}\n\n`)))
    expect((await collect(url)).at(-1)?.kind).toBe('done')
  })

  it('ends with the reason of the signal', async () => {
    const url = await serve((response) => void response.writeHead(200).write('event: status\ndata: {"text":"Searching"}\n\n'))
    const stop = new AbortController()
    const asked = collect(url, stop.signal)
    setTimeout(() => stop.abort(new Error('stopped')), 50)
    await expect(asked).rejects.toThrow('stopped')
  })
})
