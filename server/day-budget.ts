import type { TenantDb } from '#db/index.ts'
import { tokensSince } from '#db/tenant/usage.ts'
import type { AgentName } from './agents/index.ts'
import type { ChatModel } from './models/chat-model.ts'
import { usesTokens, withoutTokens } from './models/index.ts'

/** What is said once where a language model would have answered. */
export const spentNotice = 'Today’s budget for language models is used up, so this is put together from the sources alone. It starts anew at 00:00 UTC.'

/**
 * Whether a tenant's language models have used up what they may use on this day, UTC. What is running counts when it has ended.
 * @param dayTokens most tokens of a day, read and written; null for no limit.
 */
export async function isBudgetSpent(tenant: TenantDb, dayTokens: number | null, now: Date = new Date()): Promise<boolean> {
  return dayTokens !== null && (await tokensToday(tenant, now)) >= dayTokens
}

/**
 * The chains to answer with: as configured, and without language models when the day's budget is spent.
 * @returns also the agents whose chain is another than configured.
 */
export async function withinDayBudget(
  tenant: TenantDb,
  models: Record<AgentName, readonly ChatModel[]>,
  dayTokens: number | null,
  now?: Date,
): Promise<{ models: Record<AgentName, readonly ChatModel[]>; curtailed: Set<AgentName> }> {
  const names = Object.keys(models) as AgentName[]
  const costly = names.filter((name) => models[name].some(usesTokens))
  if (costly.length === 0 || !(await isBudgetSpent(tenant, dayTokens, now))) return { models, curtailed: new Set() }
  const { dev, pm, architect } = models
  return { models: { dev: withoutTokens(dev), pm: withoutTokens(pm), architect: withoutTokens(architect) }, curtailed: new Set(costly) }
}

/** Tokens that a tenant's language models have read and written on this day, UTC. */
export function tokensToday(tenant: TenantDb, now: Date = new Date()): Promise<number> {
  return tokensSince(tenant, startOfDay(now))
}

function startOfDay(now: Date): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()))
}
