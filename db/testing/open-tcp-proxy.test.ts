import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTcpProxy } from './open-tcp-proxy.ts'
import type { TcpProxy } from './open-tcp-proxy.ts'

/** Says back what it hears. */
const echo = createServer({ allowHalfOpen: true }, (socket) => void socket.on('error', () => undefined).pipe(socket))
let proxy: TcpProxy

beforeAll(async () => {
  await once(echo.listen(0, '127.0.0.1'), 'listening')
  proxy = await openTcpProxy({ host: '127.0.0.1', port: (echo.address() as AddressInfo).port })
})
afterAll(async () => {
  await proxy.close()
  await new Promise((resolve) => echo.close(resolve))
})

type Call = { socket: Socket; heard(): string; ended: Promise<string> }

function call(said: string): Call {
  const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true })
  const pieces: Buffer[] = []
  socket.on('data', (bytes: Buffer) => pieces.push(bytes))
  const ended = new Promise<string>((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'))
    socket.once('end', () => resolve('end'))
  })
  socket.write(said)
  return { socket, heard: () => Buffer.concat(pieces).toString('latin1'), ended }
}

it('delivers what is late before what comes after it, also when it delays no more, and the end last', async () => {
  proxy.set({ delayMs: 60 })
  const { socket, heard, ended } = call('first ')
  await new Promise((resolve) => setTimeout(resolve, 20))
  proxy.set('pass')
  socket.end('second')
  expect(await ended).toBe('end')
  expect(heard()).toBe('first second')
  socket.destroy()
})

it('passes, delays, truncates and corrupts', async () => {
  proxy.set('pass')
  const passed = call('hello')
  await expect.poll(passed.heard).toBe('hello')

  proxy.set({ delayMs: 60 })
  const from = performance.now()
  const late = call('later')
  await expect.poll(late.heard).toBe('later')
  // There and back.
  expect(performance.now() - from).toBeGreaterThanOrEqual(115)

  proxy.set({ truncateAt: 3 })
  const short = call('hello')
  expect(await short.ended).toBe('end')
  expect(short.heard()).toBe('hel')

  proxy.set({ corruptEvery: 2 })
  const wrong = call('abab')
  await expect.poll(wrong.heard).toBe('a\x9da\x9d')
  passed.socket.destroy()
  late.socket.destroy()
  short.socket.destroy()
  wrong.socket.destroy()
})

it('freezes, and cuts what it swallowed when it thaws; dies and half-closes', async () => {
  proxy.set('frozen')
  const before = proxy.accepted
  const frozen = call('hello')
  await expect.poll(() => proxy.accepted).toBe(before + 1)
  proxy.set('pass')
  expect(await frozen.ended).toBe('ECONNRESET')
  expect(frozen.heard()).toBe('')

  proxy.set('half-closed')
  const half = call('hello')
  expect(await half.ended).toBe('end')
  expect(half.socket.writable).toBe(true)
  half.socket.destroy()

  proxy.set('dead')
  expect(await call('hello').ended).toBe('ECONNRESET')
})

it('leads elsewhere', async () => {
  proxy.set('pass')
  const other = createServer((socket) => void socket.resume().end('other'))
  await once(other.listen(0, '127.0.0.1'), 'listening')
  const kept = call('hello')
  await expect.poll(kept.heard).toBe('hello')
  proxy.moveTo({ host: '127.0.0.1', port: (other.address() as AddressInfo).port })
  expect(await kept.ended).toBe('ECONNRESET')
  const moved = call('hello')
  await expect.poll(moved.heard).toBe('other')
  moved.socket.destroy()
  await new Promise((resolve) => other.close(resolve))
})
