import manifest from '#package.json' with { type: 'json' }
import type { ServerParts } from './app.ts'
import type { OpenCache } from './cache/open-cache.ts'
import type { ServerConfig } from './config.ts'
import type { Core } from './create-core.ts'
import type { GithubApp } from './github/app.ts'
import { createGithubConnections } from './github/connect/connections.ts'
import { createConnectStates } from './github/connect/states.ts'
import { createWebhook } from './github/webhook.ts'
import { createRateLimits } from './rate-limits.ts'
import { leaveHint } from './routes/leave-hint.ts'

/** What the process that serves brings along; the rest follows from it. */
export type ServerRig = Pick<ServerParts, 'db' | 'enqueue' | 'log' | 'metrics' | 'readiness' | 'mounts'> & { config: ServerConfig; core: Core; cache: OpenCache }

/** Gives the routes what they serve. */
export function createServerParts({ core, cache: { cache, door }, ...rig }: ServerRig): ServerParts {
  const { answer, search, threads, openSource, tellSettings, mayReadOnGithub } = core
  const limits = createRateLimits(rig.config.limits, { door, metrics: rig.metrics })
  return { ...rig, version: manifest.version, answer, search, ...(threads && { threads }), dropCached: (tenantId) => cache.dropTenant(tenantId), limits, openSource, tellSettings, mayReadOnGithub, ...(core.github ? createGithubParts(rig, core.github.app) : {}) }
}

function createGithubParts({ db, config, enqueue, log }: Omit<ServerRig, 'core' | 'cache'>, github: GithubApp): Pick<ServerParts, 'takeDelivery' | 'connections'> {
  const takeDelivery = createWebhook({ db, github, enqueue, log, tenant: config.tenant })
  // An App needs the secret; see `contradictions` of the configuration.
  if (config.serviceSecret === null) return { takeDelivery }
  const states = createConnectStates({ db, secret: config.serviceSecret })
  const syncInstallation = (tenantId: string, installationId: number) => leaveHint(log, () => enqueue('sync-installation', { tenantId, installationId }, { dedupe: String(installationId) }))
  return { takeDelivery, connections: createGithubConnections({ db, github, states, syncInstallation }) }
}
