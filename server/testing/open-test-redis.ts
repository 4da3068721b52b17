import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from '#infra/testing/free-port.ts'

/** A Redis of a test's own, which may be stopped, filled and killed. */
export type TestRedis = {
  url: string
  /** `SIGSTOP` freezes it as it stands, `SIGCONT` lets it go on, `SIGKILL` ends it. */
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void
  close(): Promise<void>
}

/** Starts this machine's `redis-server`, in memory alone. It ends with this process, however that ends. */
export async function openTestRedis(...options: string[]): Promise<TestRedis> {
  const port = await freePort()
  const script = '"$@" >/dev/null 2>&1 </dev/null & server=$!; echo $server; cat >/dev/null; kill -KILL $server 2>/dev/null'
  const child = spawn('sh', ['-c', script, 'sh', 'redis-server', '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...options], { stdio: ['pipe', 'pipe', 'ignore'] })
  const [pid] = (await once(child.stdout, 'data')) as [Buffer]
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries > 200) throw new Error('redis-server did not start')
    await wait(25)
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    signal: (signal) => void process.kill(Number(pid), signal),
    async close() {
      const ended = once(child, 'close')
      child.stdin.end()
      await ended
    },
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    const end = (answer: boolean) => (socket.destroy(), resolve(answer))
    socket.once('data', (data) => end(data.toString().startsWith('+PONG')))
    socket.once('error', () => end(false))
  })
}
