import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import Koa from 'koa'
import { afterAll, beforeAll, expect, it, test } from 'vitest'
import { NuraError } from '#db/nura-error.ts'
import { listenOnLoopback } from '../testing/listen-on-loopback.ts'
import { createBodyMemory } from './body-memory.ts'
import { readBytes } from './read-bytes.ts'

const kilobyte = 1024
const gate: { open: () => void; opened: Promise<void> } = { open: () => undefined, opened: Promise.resolve() }
let server: Server
let listening: Awaited<ReturnType<typeof listenOnLoopback>>
const errors: string[] = []

beforeAll(async () => {
  const bodies = createBodyMemory(300 * kilobyte)
  const app = new Koa()
  app.silent = true
  app.use(async (ctx) => {
    ctx.state.bodies = bodies
    try {
      const { length } = await readBytes(ctx, 500 * kilobyte)
      if (ctx.path === '/held') await gate.opened
      ctx.body = String(length)
    } catch (error) {
      if (!(error instanceof NuraError)) throw error
      errors.push(error.code)
      ctx.status = error.retryable ? 503 : 413
    }
  })
  server = createServer(app.callback())
  listening = await listenOnLoopback(server)
})
afterAll(() => listening.close())

const send = async (size: number, path = '/') => (await fetch(`${listening.url}${path}`, { method: 'POST', body: Buffer.alloc(size) })).status

test('T35: a body over the limit is refused, announced or not, and what is left of it is not read', async () => {
  expect(await send(500 * kilobyte)).toBe(200)
  expect(await send(501 * kilobyte)).toBe(413)
  let sent = 0
  const endless = new ReadableStream({
    pull(out) {
      sent += 64 * kilobyte
      out.enqueue(new Uint8Array(64 * kilobyte))
      if (sent > 50 * 1024 * kilobyte) out.close()
    },
  })
  const status = await fetch(listening.url, { method: 'POST', body: endless, duplex: 'half' } as RequestInit).then((answer) => answer.status)
  expect(status).toBe(413)
})

test('F29: bodies together take no more than their room: the next is told to come again, small ones and one alone get in', async () => {
  let open = () => {}
  gate.opened = new Promise((resolve) => (open = resolve))
  const held = [send(200 * kilobyte, '/held'), send(200 * kilobyte, '/held')]
  await expect.poll(() => send(200 * kilobyte)).toBe(503)
  expect(errors.at(-1)).toBe('too-busy')
  expect(await send(60 * kilobyte)).toBe(200)
  open()
  expect(await Promise.all(held)).toEqual([200, 200])
  // Larger than all the room there is, and alone.
  await expect.poll(() => send(450 * kilobyte)).toBe(200)
})

it('gives the room back when a caller hangs up in the middle of a body', async () => {
  for (let times = 0; times < 5; times++) {
    const socket = connect(Number(new URL(listening.url).port), '127.0.0.1')
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${300 * kilobyte}\r\n\r\n`)
    await new Promise((resolve) => socket.write(Buffer.alloc(290 * kilobyte), resolve))
    socket.destroy()
    await expect.poll(() => errors.filter((code) => code === 'hung-up').length).toBe(times + 1)
  }
  expect(await Promise.all([send(150 * kilobyte), send(150 * kilobyte)])).toEqual([200, 200])
})
