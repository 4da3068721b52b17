import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import Koa from 'koa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listen } from '../listen.ts'
import type { Listening } from '../listen.ts'
import { readBytes } from './read-bytes.ts'
import { readRest } from './read-rest.ts'

const megabyte = 1024 * 1024
let listening: Listening

beforeAll(async () => {
  const app = new Koa()
  app.silent = true
  app.use(readRest)
  app.use(async (ctx) => {
    try {
      if (ctx.path === '/read') await readBytes(ctx, megabyte)
      ctx.status = 401
    } catch {
      ctx.status = 413
    }
  })
  listening = await listen(app.callback(), { host: '127.0.0.1', port: 0 })
})
afterAll(() => listening.close(0))

/** Sends the whole of a request on a connection of its own, as a webhook's sender does, and looks at the answer only then. */
async function send(path: string, how: string, pieces: string[]): Promise<string> {
  const socket = connect(Number(new URL(listening.url).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${how}\r\n\r\n`)
  // Long enough for a server that answers at once to have closed.
  await sleep(100)
  for (const piece of pieces) if (!socket.write(piece)) await once(socket, 'drain')
  return text(socket)
}

const mega = 'x'.repeat(megabyte)

test('who sends a whole request before looking at the answer sees why it was refused', async () => {
  const announced = Array<string>(8).fill(mega)
  expect(await send('/', `Content-Length: ${8 * megabyte}`, announced)).toMatch(/^HTTP\/1\.1 401 /)
  expect(await send('/read', `Content-Length: ${8 * megabyte}`, announced)).toMatch(/^HTTP\/1\.1 413 /)
  const chunked = [...Array<string>(8).fill(`${megabyte.toString(16)}\r\n${mega}\r\n`), '0\r\n\r\n']
  expect(await send('/', 'Transfer-Encoding: chunked', chunked)).toMatch(/^HTTP\/1\.1 401 /)
  expect(await send('/read', 'Transfer-Encoding: chunked', chunked)).toMatch(/^HTTP\/1\.1 413 /)
})

test('who never ends is answered all the same', async () => {
  const socket = connect(Number(new URL(listening.url).port), '127.0.0.1')
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100\r\n\r\n')
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 401 /)
})
