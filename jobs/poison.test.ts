import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openQueues } from './enqueue.ts'
import { testRedisUrl } from './testing/config.ts'
import { createTestRig } from './testing/open-test-queue.ts'
import { poisonable } from './testing/poisonable.ts'

const redisUrl = testRedisUrl()

it.skipIf(redisUrl === null)(
  'a job that kills its worker starts twice, then is dead, and the queue moves on',
  async () => {
    const none = { queueConnection: () => Promise.reject(new Error('this test is for Redis')) as never }
    const rig = createTestRig(none, 'redis')
    const queues = openQueues([poisonable] as const, rig)
    await expect.poll(() => queues.enqueue('poisonable', { id: 'poison' }).then(() => true, () => false)).toBe(true)
    await queues.enqueue('poisonable', { id: 'good' })
    let said = ''
    const start = () => {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'testing/poisoned-worker.ts'), redisUrl as string, rig.config.prefix], { stdio: ['pipe', 'pipe', 'inherit'] })
      child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()))
      return child
    }
    const first = start()
    expect((await once(first, 'exit'))[1]).toBe('SIGKILL')
    const second = start()
    expect((await once(second, 'exit'))[1]).toBe('SIGKILL')
    const third = start()
    await expect.poll(() => said.includes('dead') && said.includes('run good')).toBe(true)
    expect(said.match(/run poison/g)).toHaveLength(2)
    third.stdin.end()
    expect((await once(third, 'exit'))[0]).toBe(0)
    await queues.close()
  },
  60_000,
)
