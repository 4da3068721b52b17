import { createLog } from '#server/log.ts'
import { createMetrics } from '#server/metrics.ts'
import { startWorkers } from '../worker.ts'
import { testSigner } from './open-test-queue.ts'
import { poisonable } from './poisonable.ts'

/**
 * A worker process of a test, started with Redis' address and prefix: writes `run ID` for each run and `dead` for each job
 * that is given up, and ends when its standard input does.
 */
const [redisUrl = '', prefix = ''] = process.argv.slice(2)
const log = createLog({ level: 'error', process: 'test', destination: { write: (line: string) => void (line.includes('job is dead') && process.stdout.write('dead\n')) } })
const none = () => {
  throw new Error('this test is for Redis')
}
const workers = await startWorkers([poisonable] as const, {}, { config: { redisUrl, prefix }, queueConnection: none, signer: testSigner, log, metrics: createMetrics() })
process.stdin.resume()
process.stdin.once('end', () => void workers.close(5_000))
