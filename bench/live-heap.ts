import type { NuraProcess } from '#infra/testing/processes.ts'

/** For the environment of a process whose heap is to be read: its inspector listens on a free loopback port, and says which. */
export const readableHeap = { NODE_OPTIONS: '--inspect=0' }

/**
 * What is still held after a whole collection, bytes. What a process has resident says little of what it keeps: V8 collects
 * when it must, and lets go of the rest of the room late.
 * @throws Error when the process was not started with `readableHeap`
 */
export async function readLiveHeap(nura: NuraProcess): Promise<number> {
  const address = /Debugger listening on (ws:\/\/\S+)/.exec(nura.output())?.[1]
  if (!address) throw new Error('This process has no inspector.')
  const socket = new WebSocket(address)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true })
    socket.addEventListener('error', () => reject(new Error('The inspector does not answer.')), { once: true })
  })
  const call = (id: number, method: string, params: object = {}) =>
    new Promise<unknown>((resolve) => {
      socket.addEventListener('message', ({ data }) => {
        const answer = JSON.parse(String(data)) as { id?: number; result?: unknown }
        if (answer.id === id) resolve(answer.result)
      })
      socket.send(JSON.stringify({ id, method, params }))
    })
  try {
    await call(1, 'HeapProfiler.collectGarbage')
    const read = (await call(2, 'Runtime.evaluate', { expression: 'process.memoryUsage().heapUsed' })) as { result: { value: number } }
    return read.result.value
  } finally {
    socket.close()
  }
}
