import Router from '@koa/router'
import Koa from 'koa'
import type { Middleware } from 'koa'
import type { Db, TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import type { Enqueue } from '#jobs/enqueue.ts'
import type { AnswerPart } from './answer-part.ts'
import type { Question } from './answer.ts'
import type { Cache } from './cache/cache.ts'
import type { ServerConfig } from './config.ts'
import type { GithubConnections } from './github/connect/connections.ts'
import type { Delivery } from './github/webhook.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import { createBodyMemory } from './middleware/body-memory.ts'
import type { BodyMemory } from './middleware/body-memory.ts'
import { guardLoopback } from './middleware/guard-loopback.ts'
import { mountRoute } from './middleware/mount-route.ts'
import { readRest } from './middleware/read-rest.ts'
import { renderErrors } from './middleware/render-errors.ts'
import type { RequestState } from './middleware/render-errors.ts'
import type { RateLimits } from './rate-limits.ts'
import type { Audience } from './retrieval/audience.ts'
import type { Passage } from './retrieval/passage.ts'
import type { ReadableParts } from './retrieval/readable-repositories.ts'
import { operatorRoutes, routes } from './routes/index.ts'
import type { AnyRoute } from './routes/route.ts'
import type { SourceOrigin, SourceOwner } from './sources/index.ts'
import type { Source } from './sources/source.ts'
import type { TellSettings } from './tell-settings.ts'
import type { ThreadMemory } from './thread-memory.ts'

/** What the process that serves must provide. */
export type ServerParts = {
  config: Pick<ServerConfig, 'host' | 'serviceSecret' | 'metricsToken' | 'tenant' | 'allowLocalRepositories' | 'dayTokens'>
  db: Db
  enqueue: Enqueue
  log: Logger
  metrics: Metrics
  /** @param turn carries the request's log, whose lines all have its trace */
  answer(tenant: TenantDb, question: Question, signal: AbortSignal, turn: { log: Logger }): AsyncIterable<AnswerPart>
  search(
    tenant: TenantDb,
    request: { question: string; audience: Audience; limit?: number; repository?: string; signal?: AbortSignal },
  ): Promise<{ passages: Passage[]; timings: Record<string, number> }>
  openSource(repository: SourceOrigin, owner?: SourceOwner): Source
  tellSettings: TellSettings
  /** Takes a delivery of the GitHub App; absent where none is configured. See `createWebhook`. */
  takeDelivery?(delivery: Delivery): Promise<{ stored: number }>
  /** Joins installations and people with the tenant; absent where no GitHub App is configured. */
  connections?: GithubConnections
  mayReadOnGithub?: ReadableParts['mayReadOnGithub']
  /** Counts questions; without it any number is taken. */
  limits?: RateLimits
  /** Where text of a thread may be mirrored that is to be forgotten. */
  threads?: Pick<ThreadMemory, 'forget'>
  /** Drops what is kept of a deleted tenant beside the database; see `Cache`. */
  dropCached?: Cache['dropTenant']
  version: string
  /** Longest life of a request, milliseconds; 120 s unless said. */
  deadlineMs?: number
  /** Room for bodies; as much as the process can spare unless said. */
  bodies?: BodyMemory
  /** Named checks of `/readyz`; each throws what is wrong. */
  readiness: Record<string, () => Promise<void>>
  /** Mounted before the API and without its guards, such as a platform's webhooks, which verify signatures themselves. */
  mounts?: Middleware[]
}

/** The HTTP service. Nothing listens yet; see `listen`. */
export function createServer(parts: ServerParts): Koa {
  return serve(parts, routes)
}

/** What a process without the API serves beside its mounts: health and metrics. */
export type OperatorParts = Pick<ServerParts, 'config' | 'db' | 'log' | 'metrics' | 'readiness' | 'mounts'>

/** The same service reduced to health and metrics, for a process that answers no questions itself. */
export function createOperatorServer(parts: OperatorParts): Koa {
  // The operator's routes touch nothing else of the parts; `operatorRoutes` is the list to look at.
  return serve(parts as ServerParts, operatorRoutes)
}

function serve(parts: ServerParts, list: readonly AnyRoute[]): Koa {
  const app = new Koa({ env: 'production' })
  app.silent = true
  app.on('error', (error: unknown) => parts.log.debug({ err: error }, 'connection ended early'))
  app.use(readRest)
  app.use(renderErrors(parts))
  const bodies = parts.bodies ?? createBodyMemory()
  app.use((ctx, next) => {
    ;(ctx.state as RequestState).bodies = bodies
    return next()
  })
  for (const mount of parts.mounts ?? []) app.use(mount)
  if (parts.config.serviceSecret === null) app.use(guardLoopback)
  const router = new Router({ strict: false, sensitive: true })
  for (const route of list) router.register(route.path, [route.method], mountRoute(route, parts))
  app.use(router.routes())
  app.use(router.allowedMethods({ throw: true, methodNotAllowed: notAllowed, notImplemented: notAllowed }))
  return app
}

function notAllowed(): NuraError {
  return new NuraError('method-not-allowed', 'That address exists, but not with this method; see /docs.')
}
