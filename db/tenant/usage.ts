import { randomUUID } from 'node:crypto'
import type { TenantDb } from '../tenant-db.ts'

export type ModelCall = {
  answerId: string | null
  agent: string
  provider: string
  model: string
  outcome: string
  inputTokens: number
  outputTokens: number
  costUsd: number
  /** Counted from the text, because the model did not say. */
  estimated?: boolean
  milliseconds: number
}

export async function saveModelCalls(tenant: TenantDb, calls: ModelCall[]): Promise<void> {
  if (calls.length === 0) return
  await tenant.transaction((tx) =>
    tx.execute(
      `insert into model_call (id, answer_id, agent, provider, model, outcome, input_tokens, output_tokens, cost_usd, estimated, milliseconds)
       select id, (select id from answer where answer.id = answer_id), agent, provider, model, outcome, input_tokens, output_tokens, cost_usd, estimated, milliseconds
       from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::int[], $9::float8[], $10::bool[], $11::int[])
         as given (id, answer_id, agent, provider, model, outcome, input_tokens, output_tokens, cost_usd, estimated, milliseconds)`,
      [
        calls.map(() => randomUUID()),
        ...(['answerId', 'agent', 'provider', 'model', 'outcome', 'inputTokens', 'outputTokens', 'costUsd'] as const).map((key) => calls.map((call) => call[key])),
        calls.map(({ estimated }) => estimated ?? false),
        calls.map(({ milliseconds }) => Math.round(milliseconds)),
      ],
    ),
  )
}

/** `estimatedCalls`: those whose tokens were counted from the text. `day`: UTC, such as `2026-11-01`; only when asked for by day. */
export type UsageRow = { day?: string; agent: string; provider: string; model: string; calls: number; estimatedCalls: number; inputTokens: number; outputTokens: number; costUsd: number }

/** What models cost since a moment, by agent and model: the dearest first; or by day before that, the latest first. */
export function readUsage(tenant: TenantDb, since: Date, by: 'model' | 'day' = 'model'): Promise<UsageRow[]> {
  const day = by === 'day' ? `to_char(created_at at time zone 'UTC', 'YYYY-MM-DD') as day, ` : ''
  const [group, order] = by === 'day' ? ['day, ', 'day desc, '] : ['', '']
  return tenant.transaction((tx) =>
    tx.query<UsageRow>(
      `select ${day}agent, provider, model, count(*)::int as calls, (count(*) filter (where estimated))::int as "estimatedCalls",
         sum(input_tokens)::float8 as "inputTokens", sum(output_tokens)::float8 as "outputTokens", sum(cost_usd) as "costUsd"
       from model_call where created_at >= $1 group by ${group}agent, provider, model order by ${order}"costUsd" desc, agent, model`,
      [since],
    ),
  )
}

/** Agents of calls that belong to no answer's language model: making vectors is no part of a day's budget for those. */
const embedding = ['indexing', 'search']

/** Tokens that language models read and wrote since a moment. */
export async function tokensSince(tenant: TenantDb, since: Date): Promise<number> {
  const rows = await tenant.transaction((tx) =>
    tx.query<{ tokens: number }>('select coalesce(sum(input_tokens + output_tokens), 0)::float8 as tokens from model_call where created_at >= $1 and agent <> all($2::text[])', [since, embedding]),
  )
  return rows[0]!.tokens
}
