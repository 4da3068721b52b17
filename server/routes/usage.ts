import { z } from 'zod'
import { readUsage } from '#db/tenant/usage.ts'
import { defineRoute } from './route.ts'

const Row = z.object({
  agent: z.string(),
  provider: z.string(),
  model: z.string(),
  calls: z.int(),
  inputTokens: z.number(),
  outputTokens: z.number(),
  costUsd: z.number(),
})
const days = 30

export const usageRoute = defineRoute({
  method: 'GET',
  path: '/v1/usage',
  summary: 'What models did and cost, by agent and model',
  auth: 'tenant',
  query: z.strictObject({ since: z.iso.date('must be a day such as 2026-11-01').optional().describe(`First day, UTC; ${days} days ago unless given`) }),
  answers: {
    status: 200,
    description: 'Usage since that day',
    json: z.object({ since: z.string(), calls: z.int(), inputTokens: z.number(), outputTokens: z.number(), costUsd: z.number(), rows: z.array(Row) }),
  },
  async run({ tenant, query }) {
    const since = query.since === undefined ? new Date(Date.now() - days * 24 * 3_600_000) : new Date(`${query.since}T00:00:00Z`)
    const rows = await readUsage(tenant, since)
    const sum = (key: 'calls' | 'inputTokens' | 'outputTokens' | 'costUsd') => rows.reduce((total, row) => total + row[key], 0)
    const totals = { calls: sum('calls'), inputTokens: sum('inputTokens'), outputTokens: sum('outputTokens'), costUsd: sum('costUsd') }
    return { status: 200, json: { since: since.toISOString(), ...totals, rows } }
  },
})
