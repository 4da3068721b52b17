import { z } from 'zod'
import { findTenant } from '#db/shared/tenants.ts'
import { readUsage } from '#db/tenant/usage.ts'
import { tokensToday } from '../day-budget.ts'
import { notFound } from '../errors.ts'
import { defineRoute } from './route.ts'

const Row = z.object({
  day: z.string().optional().describe('UTC; with by=day'),
  agent: z.string(),
  provider: z.string(),
  model: z.string(),
  calls: z.int(),
  estimatedCalls: z.int().describe('Calls whose tokens were counted from the text, because the model broke off before it said what it used'),
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
  query: z.strictObject({
    since: z.iso.date('must be a day such as 2026-11-01').optional().describe(`First day, UTC; ${days} days ago unless given`),
    by: z.enum(['model', 'day'], 'must be model or day').default('model').describe('day: each row is for one day, the latest first'),
  }),
  answers: {
    status: 200,
    description: 'Usage since that day',
    json: z.object({
      tenant: z.object({ id: z.string(), slug: z.string(), name: z.string() }),
      since: z.string(),
      calls: z.int(),
      inputTokens: z.number(),
      outputTokens: z.number(),
      costUsd: z.number(),
      estimatedShare: z.number().describe('0 to 1: how many of the calls have estimated tokens'),
      today: z.object({ tokens: z.number(), limit: z.number().nullable().describe('NURA_DAY_TOKENS; null for no limit') }).describe('Read and written since 00:00 UTC'),
      rows: z.array(Row),
    }),
  },
  async run({ tenant, query }, { db, config }) {
    const since = query.since === undefined ? new Date(Date.now() - days * 24 * 3_600_000) : new Date(`${query.since}T00:00:00Z`)
    const [found, rows, tokens] = await Promise.all([findTenant(db, tenant.id), readUsage(tenant, since, query.by), tokensToday(tenant)])
    if (!found) throw notFound()
    const sum = (key: 'calls' | 'estimatedCalls' | 'inputTokens' | 'outputTokens' | 'costUsd') => rows.reduce((total, row) => total + row[key], 0)
    const totals = { calls: sum('calls'), inputTokens: sum('inputTokens'), outputTokens: sum('outputTokens'), costUsd: sum('costUsd') }
    const estimatedShare = totals.calls === 0 ? 0 : sum('estimatedCalls') / totals.calls
    const { id, slug, name } = found
    return { status: 200, json: { tenant: { id, slug, name }, since: since.toISOString(), ...totals, estimatedShare, today: { tokens, limit: config.dayTokens }, rows } }
  },
})
