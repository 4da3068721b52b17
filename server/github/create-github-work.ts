import type { Db, TenantDb } from '#db/index.ts'
import type { Enqueue } from '#jobs/enqueue.ts'
import type { ServerConfig } from '../config.ts'
import type { Core, GithubCore } from '../create-core.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { GithubApp } from './app.ts'
import { answerMention } from './mention.ts'
import { createDeliveries } from './run-delivery.ts'
import type { DeliveryContext } from './run-delivery.ts'
import { summarisePullRequest } from './summary/summarise.ts'
import type { SummaryRequest } from './summary/summarise.ts'
import { createSweep } from './sweep.ts'

export type GithubWorkRig = { config: Pick<ServerConfig, 'tenant' | 'dayTokens'>; db: Db; enqueue: Enqueue; log: Logger; metrics: Metrics; core: Core }

/** What the jobs about GitHub run. */
export type GithubWork = {
  github: GithubApp | null
  runDelivery(inboxId: string, context: DeliveryContext): Promise<void>
  summarise: ((tenant: TenantDb, request: SummaryRequest) => Promise<void>) | null
  sweepGithub: ((signal: AbortSignal) => Promise<void>) | null
}

/** Gives the jobs what they run; without an App there is nothing to run. */
export function createGithubWork(rig: GithubWorkRig): GithubWork {
  const { core, log } = rig
  if (core.github) return createWork(rig, core.github)
  return {
    github: null,
    summarise: null,
    sweepGithub: null,
    runDelivery: async (inboxId) => log.warn({ inboxId }, 'a delivery of GitHub waits, but no App is configured here'),
  }
}

function createWork({ config, db, enqueue, log, metrics, core }: GithubWorkRig, { app: github, permissions }: GithubCore): GithubWork {
  const mentionParts = { db, app: github, permissions, answer: core.answer, tellSettings: core.tellSettings }
  const summaryParts = { github, openSource: core.openSource, models: core.models.dev, dayTokens: config.dayTokens, enqueue, metrics }
  return {
    github,
    runDelivery: createDeliveries({ db, enqueue, config: github.config, log, answerMention: (tenant, turn) => answerMention(mentionParts, tenant, turn) }),
    summarise: (tenant, request) => summarisePullRequest(summaryParts, tenant, request),
    sweepGithub: createSweep({ db, github, enqueue, log, tenant: config.tenant }),
  }
}
