import { expect, test, vi } from 'vitest'
import { runEmbeddingOutage } from '../testing/embedding-outage.ts'

/** Whole processes start and are waited for here, on machines that do other things too. */
vi.setConfig({ testTimeout: 300_000 })

test('while the embedding model is away, questions are answered and say so, pushes wait, and each text is embedded once afterwards', async () => {
  const report = await runEmbeddingOutage({ ms: 12_000, questionEveryMs: 500, pushEveryMs: 3_000, faults: [{ kind: 'status', status: 503 }, { kind: 'hang' }, { kind: 'status', status: 429, retryAfter: '2' }] })
  expect(report.questions).toBeGreaterThan(3)
  expect(report).toMatchObject({ answered: report.questions, saidLexical: report.questions, again: 0 })
  expect(report.pushes).toBeGreaterThan(2)
  expect(report.embedded).toBe(report.distinct)
  expect(report.embedded).toBeGreaterThanOrEqual(report.pushes)
})
