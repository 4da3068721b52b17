import { expect, test, vi } from 'vitest'
import { runBill } from '../testing/bill.ts'

/** Whole processes start and are waited for here, on machines that do other things too. */
vi.setConfig({ testTimeout: 300_000 })

test('each tenant is billed what its agents used, by every provider’s own count, to the cent', async () => {
  const bill = await runBill({ questions: 36, atOnce: 6 })
  expect(bill).toHaveLength(6)
  for (const { calls, tokens, usd } of bill) {
    expect(calls.nura).toBe(6)
    expect(calls.nura).toBe(calls.fake)
    expect(tokens.nura).toBe(tokens.fake)
    expect(usd.nura).toBeGreaterThan(0)
    expect(usd.nura).toBeCloseTo(usd.fake, 9)
  }
})
