import type { Db } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import type { Tenant } from '#db/shared/tenants.ts'
import { readUsage } from '#db/tenant/usage.ts'
import type { UsageRow } from '#db/tenant/usage.ts'
import { toTable } from './to-table.ts'

const days = 30
const head = ['tenant', 'agent', 'model', 'calls', 'estimated', 'tokens read', 'tokens written', 'cost in $']

/**
 * What the models of tenants did and cost, as a table with a total: the operator's view.
 * @param day first day, UTC, such as `2026-11-01`; 30 days ago when not given
 * @throws NuraError `usage`
 */
export async function tellUsage(db: Db, tenants: Pick<Tenant, 'id' | 'slug'>[], day?: string): Promise<string[]> {
  const since = toSince(day)
  const rows: { slug: string; usage: UsageRow }[] = []
  for (const { id, slug } of tenants) rows.push(...(await readUsage(await db.tenant(id), since)).map((usage) => ({ slug, usage })))
  const from = `since ${since.toISOString().slice(0, 10)}, UTC`
  if (rows.length === 0) return [`No model was asked ${from}.`]
  const sum = (key: 'calls' | 'estimatedCalls' | 'inputTokens' | 'outputTokens' | 'costUsd') => rows.reduce((total, { usage }) => total + usage[key], 0)
  const total = toNumbers({ calls: sum('calls'), estimatedCalls: sum('estimatedCalls'), inputTokens: sum('inputTokens'), outputTokens: sum('outputTokens'), costUsd: sum('costUsd') })
  const cells = rows.map(({ slug, usage }) => [slug, usage.agent, usage.model, ...toNumbers(usage)])
  return [`What models did ${from}:`, ...toTable(head, [...cells, ['total', '', '', ...total]], head.slice(3))]
}

function toNumbers({ calls, estimatedCalls, inputTokens, outputTokens, costUsd }: Pick<UsageRow, 'calls' | 'estimatedCalls' | 'inputTokens' | 'outputTokens' | 'costUsd'>): string[] {
  return [...[calls, estimatedCalls, inputTokens, outputTokens].map((count) => count.toLocaleString('en')), costUsd.toFixed(4)]
}

function toSince(day: string | undefined): Date {
  if (day === undefined) return new Date(Date.now() - days * 24 * 3_600_000)
  const since = /^\d{4}-\d{2}-\d{2}$/.test(day) ? new Date(`${day}T00:00:00Z`) : null
  // A day that there is not, such as 2026-02-30, is read as another one.
  if (since === null || Number.isNaN(since.getTime()) || since.toISOString().slice(0, 10) !== day) throw new NuraError('usage', '--since is a day such as 2026-11-01')
  return since
}
