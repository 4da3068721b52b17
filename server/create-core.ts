import type { Db, TenantDb } from '#db/index.ts'
import type { AgentName } from './agents/index.ts'
import { openLangsmith } from './agents/langsmith/open-langsmith.ts'
import { answer } from './answer.ts'
import type { ServerParts } from './app.ts'
import type { ServerConfig } from './config.ts'
import { createGithubApp } from './github/app.ts'
import type { GithubApp } from './github/app.ts'
import type { GithubConfig } from './github/config.ts'
import { createMayReadOnGithub } from './github/linked-readers.ts'
import { createPermissions } from './github/permissions.ts'
import type { Permissions } from './github/permissions.ts'
import { indexSource } from './indexing/index-changes.ts'
import type { IndexOptions, IndexReport } from './indexing/index-changes.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { ChatModel } from './models/chat-model.ts'
import { createOpenModel, undescribed } from './models/index.ts'
import { lexicalEmbedder } from './models/lexical.ts'
import { measureEmbedder } from './models/measure-embedder.ts'
import type { ReadableParts } from './retrieval/readable-repositories.ts'
import { search } from './retrieval/search.ts'
import { createOpenSource } from './sources/index.ts'
import type { Source } from './sources/source.ts'
import { traceAnswer } from './trace-answer.ts'

/** What a process brings along; the rest follows from its configuration. */
export type CoreRig = { config: ServerConfig; githubConfig: GithubConfig | null; db: Db; log: Logger; metrics: Metrics }

/** GitHub as a process reaches it, and what people may read there. */
export type GithubCore = { app: GithubApp; permissions: Permissions }

/** What Nura can do, whichever process asks for it: read sources, keep the index, search it and answer from it. */
export type Core = Pick<ServerParts, 'answer' | 'search'> & {
  openSource: ReturnType<typeof createOpenSource>
  indexSource(tenant: TenantDb, repository: { id: string }, source: Source, options: IndexOptions): Promise<IndexReport>
  models: Record<AgentName, ChatModel[]>
  /** Null where no App is configured. */
  github: GithubCore | null
  mayReadOnGithub: ReadableParts['mayReadOnGithub']
  /** Hands over what is still to be told to LangSmith, within two seconds. */
  close(): Promise<void>
}

/** Puts models, sources and stores behind what Nura can do. */
export function createCore({ config, githubConfig, db, log, metrics }: CoreRig): Core {
  const github = githubConfig && createGithub(githubConfig, db, log)
  const models = createAgentModels(config, log)
  const mayReadOnGithub = github ? createMayReadOnGithub({ db, permissions: github.permissions, log }) : undefined
  const embedder = lexicalEmbedder
  const openSource = createOpenSource({ github: github?.app ?? null })
  const langsmith = config.langsmith && openLangsmith(config.langsmith, { log })
  const parts = { db, embedder, models, dayTokens: config.dayTokens, mayReadOnGithub, openSource, langsmith, log, metrics }
  return {
    github,
    models,
    mayReadOnGithub,
    openSource,
    indexSource: (tenant, repository, source, options) => indexSource({ embedder: measureEmbedder(embedder, metrics), log }, tenant, repository, source, options),
    answer: (tenant, question, signal, turn) => traceAnswer(tenant, question, () => answer({ ...parts, log: turn.log }, tenant, question, signal)),
    search: (tenant, request) => search(parts, tenant, request),
    close: async () => langsmith?.close(),
  }
}

function createGithub(config: GithubConfig, db: Db, log: Logger): GithubCore {
  const app = createGithubApp(config, { db, log })
  return { app, permissions: createPermissions(app) }
}

/** The models of each agent, with one warning about those whose cost and limits nobody has described. */
function createAgentModels(config: Pick<ServerConfig, 'models' | 'modelSettings'>, log: Logger): Record<AgentName, ChatModel[]> {
  const { models: { dev, pm, architect }, modelSettings } = config
  const unknown = new Set(undescribed([...dev, ...pm, ...architect]))
  const consequence = 'their calls count as free, and their limits are taken to be small'
  if (unknown.size > 0) log.warn({ models: [...unknown] }, `models without price and limits in server/models/prices.ts: ${consequence}`)
  const open = createOpenModel({ settings: modelSettings, log })
  return { dev: dev.map(open), pm: pm.map(open), architect: architect.map(open) }
}
