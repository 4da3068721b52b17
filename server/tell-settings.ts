import type { TenantDb } from '#db/index.ts'
import { findThread } from '#db/tenant/threads.ts'
import type { ServerConfig } from './config.ts'
import { tokensToday } from './day-budget.ts'
import { explainSettings } from './explain-settings.ts'
import type { Setting, SettingFacts } from './explain-settings.ts'
import type { DecidedAudience } from './retrieval/audience.ts'
import { readableRepositories } from './retrieval/readable-repositories.ts'
import type { ReadableParts } from './retrieval/readable-repositories.ts'

export type TellSettingsParts = ReadableParts & {
  config: Pick<ServerConfig, 'models' | 'modelSources' | 'lineUp' | 'dayTokens'>
  /** The embedding space that a tenant is searched in, and the one being built for it; the configured one unless given. */
  readSpace?: (tenant: TenantDb) => Promise<{ active: string; next: string | null }>
  limits?: SettingFacts['limits']
}

/** @param thread key of the thread that is asked about; null for none */
export type TellSettings = (tenant: TenantDb, audience: DecidedAudience, thread: string | null) => Promise<Setting[]>

/**
 * Tells what is in force for the readers of an answer, and where it comes from.
 * @throws NuraError `audience-unknown` when their rights cannot be read
 */
export function createTellSettings(parts: TellSettingsParts): TellSettings {
  const { models, modelSources: sources, lineUp, dayTokens } = parts.config
  return async (tenant, audience, key) => {
    const [first] = models.embedding
    const [repositories, thread, today, space] = await Promise.all([
      readableRepositories(parts, tenant, audience),
      key === null ? null : findThread(tenant, key),
      tokensToday(tenant),
      parts.readSpace?.(tenant) ?? { active: `${first?.provider}:${first?.model}`, next: null },
    ])
    return explainSettings({ models, sources, option: lineUp?.option ?? null, space, dayTokens, tokensToday: today, limits: parts.limits ?? null, thread, audience, repositories })
  }
}
