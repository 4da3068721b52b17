import manifest from '#package.json' with { type: 'json' }
import type { AgentName } from './agents/index.ts'
import { answer } from './answer.ts'
import type { ServerParts } from './app.ts'
import type { ServerConfig } from './config.ts'
import type { Logger } from './log.ts'
import type { ChatModel } from './models/chat-model.ts'
import { createModels, undescribed } from './models/index.ts'
import { lexicalEmbedder } from './models/lexical.ts'
import { search } from './retrieval/search.ts'
import { createOpenSource } from './sources/index.ts'

/** What the process that serves brings along; the rest follows from its configuration. */
export type ServerRig = Pick<ServerParts, 'db' | 'enqueue' | 'log' | 'metrics' | 'readiness' | 'mounts'> & { config: ServerConfig }

/** Puts the models of the configuration behind `answer` and `search`. */
export function createServerParts(rig: ServerRig): ServerParts {
  const { db, config, log, metrics } = rig
  const parts = { db, embedder: lexicalEmbedder, models: createAgentModels(config, log), dayTokens: config.dayTokens, log, metrics }
  return {
    ...rig,
    version: manifest.version,
    answer: (tenant, question, signal, { log: own }) => answer({ ...parts, log: own }, tenant, question, signal),
    search: (tenant, request) => search(parts, tenant, request),
    openSource,
  }
}

/** The models of each agent, with one warning about those whose cost and limits nobody has described. */
export function createAgentModels(config: Pick<ServerConfig, 'models' | 'modelSettings'>, log: Pick<Logger, 'warn'>): Record<AgentName, ChatModel[]> {
  const { models: { dev, pm, architect }, modelSettings } = config
  const unknown = new Set(undescribed([...dev, ...pm, ...architect]))
  const consequence = 'their calls count as free, and their limits are taken to be small'
  if (unknown.size > 0) log.warn({ models: [...unknown] }, `models without price and limits in server/models/prices.ts: ${consequence}`)
  return { dev: createModels(dev, modelSettings), pm: createModels(pm, modelSettings), architect: createModels(architect, modelSettings) }
}

/** Sources that need nothing configured. */
export const openSource = createOpenSource({ github: null })
