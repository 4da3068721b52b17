import { randomUUID } from 'node:crypto'
import type { QueueConnection } from '#db/index.ts'
import { createLog } from '#server/log.ts'
import { createMetrics } from '#server/metrics.ts'
import { createJobSigner } from '../job-signer.ts'
import type { QueueRig } from '../enqueue.ts'
import type { WorkerRig } from '../worker.ts'
import { testRedisUrl } from './config.ts'

/** Processes of one test share it, as those of a deployment share theirs. */
export const testSigner = createJobSigner('a secret of tests that is long enough')

/** Everything a queue under test needs, on Redis where the run has one, else in the test's own database. It waits: a busy machine is no fault. */
export function createTestRig(db: { queueConnection(): QueueConnection }, kind: 'redis' | 'postgres'): WorkerRig & QueueRig & { lines: string[] } {
  const lines: string[] = []
  const log = createLog({ level: 'debug', process: 'test', destination: { write: (line: string) => void lines.push(line) } })
  const config = { redisUrl: kind === 'redis' ? testRedisUrl() : null, prefix: `test-${randomUUID()}` }
  return { config, queueConnection: () => db.queueConnection(), signer: testSigner, log, metrics: createMetrics(), patienceMs: 60_000, lines }
}
