import type { Db, TenantDb } from '#db/index.ts'
import { readCorpus } from '#db/tenant/corpus.ts'
import { answerActivity } from './activity/answer-activity.ts'
import type { AgentName } from './agents/index.ts'
import { openLangsmith } from './agents/langsmith/open-langsmith.ts'
import type { Turn } from './agents/memory.ts'
import { createAnswerRepeats } from './answer-repeats.ts'
import { answer } from './answer.ts'
import type { AnswerParts, Question } from './answer.ts'
import type { ServerParts } from './app.ts'
import type { OpenCache } from './cache/open-cache.ts'
import type { ServerConfig } from './config.ts'
import { createGithubApp } from './github/app.ts'
import type { GithubApp } from './github/app.ts'
import type { GithubConfig } from './github/config.ts'
import type { Document } from '#db/tenant/documents.ts'
import { readDocument } from './documents/read-document.ts'
import { streamCounted, withCounted } from './count-embeddings.ts'
import { createMayReadOnGithub } from './github/linked-readers.ts'
import { createPermissions } from './github/permissions.ts'
import type { Permissions } from './github/permissions.ts'
import { changeSpace } from './indexing/change-space.ts'
import type { ChangeOptions, ChangeReport } from './indexing/change-space.ts'
import { indexSource } from './indexing/index-changes.ts'
import type { IndexOptions, IndexReport } from './indexing/index-changes.ts'
import { createMadeVectors } from './indexing/made-vectors.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import { createQueryCache } from './models/cache-embedder.ts'
import type { ChatModel } from './models/chat-model.ts'
import type { Embedders } from './models/embedder.ts'
import { createEmbedders } from './models/embedders.ts'
import { createOpenModel, undescribed } from './models/index.ts'
import { createReranker } from './models/rerankers.ts'
import { replayAnswer } from './replay-answer.ts'
import type { Replayed } from './replay-answer.ts'
import type { ReadableParts } from './retrieval/readable-repositories.ts'
import { search } from './retrieval/search.ts'
import { createOpenSource } from './sources/index.ts'
import { createOpenSite } from './sources/site.ts'
import type { Source } from './sources/source.ts'
import { createOtherSpaceTeller } from './tell-other-space.ts'
import { createTellSettings } from './tell-settings.ts'
import { createThreadMemory } from './thread-memory.ts'
import { traceAnswer } from './trace-answer.ts'

/** What a process brings along; the rest follows from its configuration. */
export type CoreRig = {
  config: ServerConfig
  githubConfig: GithubConfig | null
  db: Db
  log: Logger
  metrics: Metrics
  /** Without it nothing is remembered beside the database. */
  cache?: OpenCache
}

/** GitHub as a process reaches it, and what people may read there. */
export type GithubCore = { app: GithubApp; permissions: Permissions }

/** What Nura can do, whichever process asks for it: read sources, keep the index, search it and answer from it. */
export type Core = Pick<ServerParts, 'answer' | 'search' | 'threads' | 'tellSettings'> & {
  openSource: ReturnType<typeof createOpenSource>
  /** What `answer` would say now, without a trace of having been asked: see `replayAnswer`. */
  replay(tenant: TenantDb, question: Question, before: Turn[], signal: AbortSignal): Promise<Replayed>
  indexSource(tenant: TenantDb, repository: { id: string }, source: Source, options: IndexOptions): Promise<IndexReport>
  /** Makes text of a document that was given; see `readDocument`. */
  readDocument(tenant: TenantDb, id: string, options: { signal: AbortSignal }): Promise<Document | null>
  /** Goes on with a change of embedding space that is under way. */
  changeSpace(tenant: TenantDb, options: ChangeOptions): Promise<ChangeReport | null>
  models: Record<AgentName, ChatModel[]>
  /** What makes vectors here; whoever uses it for a tenant counts what it costs, see `withCounted`. */
  embedders: Embedders
  /** Null where no App is configured. */
  github: GithubCore | null
  mayReadOnGithub: ReadableParts['mayReadOnGithub']
  /** Hands over what is still to be told to LangSmith, within two seconds. */
  close(): Promise<void>
}

/** Puts models, sources and stores behind what Nura can do. */
export function createCore({ config, githubConfig, db, log, metrics, cache }: CoreRig): Core {
  const github = githubConfig && createGithub(githubConfig, db, log)
  const models = createAgentModels(config, log)
  const mayReadOnGithub = github ? createMayReadOnGithub({ db, permissions: github.permissions, log }) : undefined
  const embedders = createEmbedders({ chain: config.models.embedding, settings: config.embedderSettings, log, metrics })
  const reranker = createReranker({ chain: config.models.reranker, log })
  const madeVectors = createMadeVectors()
  const tellOtherSpace = createOtherSpaceTeller(embedders.primary.space, log)
  const countFor = (tenant: TenantDb, agent: 'indexing' | 'search') => ({ tenant, agent, log, metrics })
  const openSource = createOpenSource({ github: github?.app ?? null, openSite: createOpenSite({ hosts: config.sourceHosts }) })
  const { threads, ...remembered } = createRemembered(cache)
  const langsmith = config.langsmith && openLangsmith(config.langsmith, { log })
  const quiet = { db, embedders, reranker, models, dayTokens: config.dayTokens, mayReadOnGithub, openSource, answerActivity, log }
  const parts = { ...quiet, langsmith, metrics, ...(threads && { threads }), ...remembered }
  return {
    github,
    models,
    embedders,
    mayReadOnGithub,
    openSource,
    ...(threads && { threads }),
    async indexSource(tenant, repository, source, options) {
      await tellOtherSpace(tenant)
      return withCounted(embedders, countFor(tenant, 'indexing'), (counted) => indexSource({ embedders: counted, madeVectors, log }, tenant, repository, source, options))
    },
    readDocument: (tenant, id, options) => readDocument({ log }, tenant, id, options),
    changeSpace: (tenant, options) => withCounted(embedders, countFor(tenant, 'indexing'), (counted) => changeSpace({ embedderOf: counted.of, log }, tenant, options)),
    answer(tenant, question, signal, turn) {
      const countSearch = { ...countFor(tenant, 'search'), log: turn.log }
      return traceAnswer(tenant, question, () => streamCounted(embedders, countSearch, (counted) => answer({ ...parts, embedders: counted, log: turn.log }, tenant, question, signal)))
    },
    replay: (tenant, question, before, signal) => replayAnswer(quiet, tenant, question, before, signal),
    search: (tenant, request) => withCounted(embedders, countFor(tenant, 'search'), (counted) => search({ ...parts, embedders: counted }, tenant, request)),
    tellSettings: createTellSettings({
      config, db, mayReadOnGithub,
      limits: { ...config.limits, source: 'NURA_LIMIT_ASKER, NURA_LIMIT_CHANNEL and NURA_LIMIT_TENANT, or their defaults' },
      async readSpace(tenant) {
        const { activeSpace, nextSpace } = await readCorpus(tenant)
        return { active: activeSpace ?? embedders.primary.space, next: nextSpace }
      },
    }),
    close: async () => langsmith?.close(),
  }
}

function createRemembered(open: OpenCache | undefined): Pick<AnswerParts, 'cacheQueries' | 'threads' | 'repeats'> {
  if (!open) return {}
  const { cache, answers } = open
  return { cacheQueries: createQueryCache(cache), threads: createThreadMemory(cache), ...(answers && { repeats: createAnswerRepeats(cache) }) }
}

function createGithub(config: GithubConfig, db: Db, log: Logger): GithubCore {
  const app = createGithubApp(config, { db, log })
  return { app, permissions: createPermissions(app) }
}

/** The models of each agent, with one warning about those that the line-up goes without, and one about those whose cost and limits nobody has described. */
function createAgentModels(config: Pick<ServerConfig, 'models' | 'modelSettings' | 'lineUp'>, log: Logger): Record<AgentName, ChatModel[]> {
  const { models: { dev, pm, architect }, modelSettings, lineUp } = config
  const absent = lineUp?.leftOut.map(({ name, because }) => `${name}, because ${because}`) ?? []
  if (absent.length > 0) log.warn({ option: lineUp?.option }, `models left out of NURA_MODELS=${lineUp?.option}: ${absent.join('; ')}`)
  const unknown = new Set(undescribed([...dev, ...pm, ...architect]))
  const consequence = 'their calls count as free, and their limits are taken to be small'
  if (unknown.size > 0) log.warn({ models: [...unknown] }, `models without price and limits in server/models/prices.ts: ${consequence}`)
  const open = createOpenModel({ settings: modelSettings, log })
  return { dev: dev.map(open), pm: pm.map(open), architect: architect.map(open) }
}
