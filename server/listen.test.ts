import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { listen } from './listen.ts'

it('says that a port is taken, and what to do', async () => {
  const first = await listen((_, response) => response.end('ok'), { host: '127.0.0.1', port: 0 })
  const port = Number(new URL(first.url).port)
  await expect(listen(() => undefined, { host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'port-taken', message: expect.stringContaining(`Port ${port}`) })
  await first.close(0)
})

it('says that an address is not one of this machine', async () => {
  await expect(listen(() => undefined, { host: '203.0.113.7', port: 0 })).rejects.toMatchObject({ code: 'bad-host' })
})

it('lets a request end before it closes, and cuts one that does not', async () => {
  const gate = Promise.withResolvers<void>()
  const open = await listen(
    (request, response) => {
      if (request.url === '/slow') void gate.promise.then(() => response.end('done'))
    },
    { host: '127.0.0.1', port: 0 },
  )
  const slow = fetch(`${open.url}/slow`)
  const stuck = fetch(`${open.url}/stuck`).then(
    () => 'answered',
    () => 'cut',
  )
  await new Promise((resolve) => setTimeout(resolve, 100))
  const closed = open.close(400)
  gate.resolve()
  expect(await (await slow).text()).toBe('done')
  expect(await stuck).toBe('cut')
  await closed
  await expect(fetch(open.url)).rejects.toThrow('fetch failed')
})

it('keeps answering others while many send nothing', async () => {
  const open = await listen((_, response) => response.end('ok'), { host: '127.0.0.1', port: 0 })
  const { port } = new URL(open.url)
  const idle = Array.from({ length: 200 }, () => connect(Number(port), '127.0.0.1'))
  await Promise.all(idle.map((socket) => once(socket, 'connect')))
  for (const socket of idle) {
    socket.on('error', () => undefined)
    socket.write('GET / HT')
  }
  expect(await (await fetch(open.url)).text()).toBe('ok')
  for (const socket of idle) socket.destroy()
  await open.close(0)
})

it('turns a connection away with 503 when there are too many, lets a slow one make room, and answers again afterwards', async () => {
  const gate = Promise.withResolvers<void>()
  let held = 0
  const open = await listen(
    ({ url }, response) => {
      if (url === '/held') held++
      void (url === '/held' ? gate.promise : Promise.resolve()).then(() => response.end('done'))
    },
    { host: '127.0.0.1', port: 0 },
    { connections: 4 },
  )
  const ask = async (path: string) => {
    const { status, headers } = await fetch(`${open.url}${path}`, { headers: { connection: 'close' } })
    return [status, headers.get('retry-after')]
  }
  const busy = Array.from({ length: 4 }, () => ask('/held'))
  await expect.poll(() => held).toBe(4)
  expect(await ask('/')).toEqual([503, '1'])
  gate.resolve()
  expect(await Promise.all(busy)).toEqual(Array(4).fill([200, null]))

  const slow = Array.from({ length: 4 }, () => connect(Number(new URL(open.url).port), '127.0.0.1'))
  for (const socket of slow) {
    socket.on('error', () => undefined)
    socket.write('GET / HT')
  }
  // Until the slow have waited long enough, who comes is told to come again.
  await expect.poll(() => ask('/')).toEqual([200, null])
  await expect.poll(() => slow.filter(({ closed }) => closed).length).toBeGreaterThan(0)
  for (const socket of slow) socket.destroy()
  await open.close(0)
})
