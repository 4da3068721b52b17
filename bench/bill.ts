import { runBill } from '#infra/testing/bill.ts'
import { withDatabase } from './open-database.ts'
import type { Result } from './report.ts'

/** A thousand questions of three agents in two tenants, and Nura's bill beside what the fakes of the providers counted. */
export function measureBill(questions: number): Promise<Result[]> {
  return withDatabase(async ({ url, redisUrl }) => {
    const started = performance.now()
    const lines = await runBill({ questions, atOnce: 16, env: { DATABASE_URL: url, REDIS_URL: redisUrl, NURA_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64') } })
    const seconds = (performance.now() - started) / 1000
    const results = lines.map(({ tenant, agent, model, calls, tokens, usd }): Result => ({
      measure: `${tenant}, ${agent}, ${model}`,
      nura: `${calls.nura} calls, ${tokens.nura} tokens, $${usd.nura.toFixed(6)}`,
      baseline: `its fake: ${calls.fake}, ${tokens.fake}, $${usd.fake.toFixed(6)}`,
      bound: 'equal to the cent',
      holds: calls.nura === calls.fake && tokens.nura === tokens.fake && Math.abs(usd.nura - usd.fake) < 0.000_001,
    }))
    const sum = (side: 'nura' | 'fake') => lines.reduce((total, { usd }) => total + usd[side], 0)
    return [...results, { measure: `all ${questions} questions`, nura: `$${sum('nura').toFixed(6)}`, baseline: `$${sum('fake').toFixed(6)}`, numbers: { seconds, questionsASecond: questions / seconds } }]
  })
}
