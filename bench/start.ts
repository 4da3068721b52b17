import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startProcess } from '#infra/testing/processes.ts'
import { generateRepository } from './generate-repository.ts'
import { cost, median, quantile } from './measure.ts'
import type { Result } from './report.ts'

const files = 300
const questions = 40

/** `npm start` on embedded stores: the first start, which indexes, the second, which does not, and answers without a model. */
export async function measureStart(): Promise<Result[]> {
  await using repository = await generateRepository(files)
  const folder = await mkdtemp(join(tmpdir(), 'nura-bench-'))
  const env = { NURA_DATA_DIR: folder, NURA_REPOSITORY: repository.dir, LOG_LEVEL: 'warn', NURA_ANSWER_CACHE: 'off' }
  try {
    const first = await cost(async () => await (await startProcess('infra/local.ts', env)).end('SIGTERM'))
    const start = performance.now()
    const nura = await startProcess('infra/local.ts', env)
    const secondMs = performance.now() - start
    try {
      const times: number[] = []
      for (let at = 0; at < questions; at++) {
        const verb = ['verify', 'load', 'merge', 'route'][at % 4]
        const question = `where do we ${verb} the ${['account', 'session', 'ledger'][at % 3]}, and what does it call?`
        const { wallMs } = await cost(async () => {
          const response = await fetch(`${nura.url}/v1/ask`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ question }) })
          if (!response.ok) throw new Error(`A question got ${response.status}: ${await response.text()}`)
          await response.arrayBuffer()
        })
        times.push(wallMs)
      }
      return [
        { measure: `first start to clean end, ${files} files`, nura: `${(first.wallMs / 1000).toFixed(1)} s` },
        { measure: 'second start to ready', nura: `${(secondMs / 1000).toFixed(1)} s` },
        {
          measure: 'extractive answer on the embedded store',
          nura: `${median(times).toFixed(0)} ms p50, ${quantile(times, 0.95).toFixed(0)} ms p95`,
          bound: 'p95 ≤ 2000 ms',
          holds: quantile(times, 0.95) <= 2000,
          numbers: { first: times[0]!, worst: Math.max(...times) },
        },
      ]
    } finally {
      await nura.end('SIGTERM')
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
