import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { NuraError } from '#db/nura-error.ts'
import { readEnv } from '#db/read-env.ts'
import { langsmithEnv, langsmithFault, toLangsmithConfig } from './agents/langsmith/env.ts'
import type { LangsmithConfig } from './agents/langsmith/env.ts'
import { logLevels } from './log.ts'
import type { LogLevel } from './log.ts'
import { drawChains } from './models/draw-chains.ts'
import type { DrawnChains } from './models/draw-chains.ts'
import { defaultEmbedders, lackingEmbedderKeys, toEmbedderChain } from './models/embedder-providers.ts'
import type { EmbedderSettings } from './models/embedder-providers.ts'
import { defaultChain, lackingKeys, toChain } from './models/index.ts'
import type { ModelName, ModelSettings } from './models/index.ts'
import { lineUpOptions } from './models/line-ups.ts'
import { toRerankerChain } from './models/rerankers.ts'
import { limitsEnv, toLimits } from './rate-limits.ts'
import type { Limits } from './rate-limits.ts'
import { sourcesEnv } from './sources/config.ts'

/** Everything the server reads from the environment. Stores are in `db/config.ts` and `jobs/config.ts`. */
export const serverEnv = {
  PORT: z.coerce
    .number('must be a number such as 3000')
    .int('must be a whole number such as 3000')
    .min(0, 'must be between 0 and 65535')
    .max(65_535, 'must be between 0 and 65535')
    .default(3000),
  HOST: z.string().default('127.0.0.1'),
  LOG_LEVEL: z.enum(logLevels, `must be one of ${logLevels.join(', ')}`).default('info'),
  NURA_SERVICE_SECRET: z
    .string()
    .refine((secret) => Buffer.byteLength(secret) >= 32, 'must be at least 32 bytes long; make one with: openssl rand -base64 48')
    .optional(),
  NURA_METRICS_TOKEN: z
    .string()
    .refine((token) => Buffer.byteLength(token) >= 32, 'must be at least 32 bytes long; make one with: openssl rand -base64 48')
    .optional(),
  NURA_TENANT: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and hyphens, at most 63, such as "acme"')
    .default('local'),
  NURA_REPOSITORY: z.string().optional(),
  NURA_LOCAL_REPOSITORIES: z.enum(['allow', 'refuse'], 'must be "allow" or "refuse"').optional(),
  NURA_MODELS: z.enum(lineUpOptions, `must be one of ${lineUpOptions.join(', ')}; leave it unset to name models one by one, or to use none`).optional(),
  DEV_MODELS: chain('DEV_MODELS', defaultChain, toChain),
  PM_MODELS: chain('PM_MODELS', defaultChain, toChain),
  ARCHITECT_MODELS: chain('ARCHITECT_MODELS', defaultChain, toChain),
  EMBEDDING_MODELS: chain('EMBEDDING_MODELS', defaultEmbedders, toEmbedderChain),
  RERANKER_MODELS: chain('RERANKER_MODELS', '', (text, key) => (text.trim() === '' ? [] : toRerankerChain(text, key))),
  SAGEMAKER_EMBEDDING_ENDPOINT: z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9-]{0,62}$/, 'must be the name of an endpoint, such as "bge-m3", not an address').optional(),
  OPENAI_API_KEY: z.string().optional(),
  OPENAI_BASE_URL: z.url({ protocol: /^https?$/, error: 'must be the http(s) URL of an API, such as https://api.openai.com/v1' }).default('https://api.openai.com/v1'),
  ANTHROPIC_API_KEY: z.string().optional(),
  ANTHROPIC_BASE_URL: z.url({ protocol: /^https?$/, error: 'must be the http(s) URL of an API, such as https://api.anthropic.com' }).default('https://api.anthropic.com'),
  AWS_REGION: z.string().optional(),
  AWS_DEFAULT_REGION: z.string().optional(),
  AWS_CONFIG_FILE: z.string().optional(),
  AWS_SHARED_CREDENTIALS_FILE: z.string().optional(),
  NURA_DAY_TOKENS: z.coerce
    .number('must be a number of tokens such as 2000000')
    .int('must be a whole number of tokens such as 2000000')
    .positive('must be more than 0; leave it unset for no limit')
    .optional(),
  ...sourcesEnv,
  ...limitsEnv,
  ...langsmithEnv,
}

export type ServerEnv = z.output<z.ZodObject<typeof serverEnv>>

/** Keys of other parts whose presence means that this is not one person's machine any more. */
const deployedKeys = ['DATABASE_URL', 'SLACK_BOT_TOKEN', 'SLACK_CLIENT_ID', 'SLACK_APP_TOKEN', 'MicrosoftAppId', 'GITHUB_APP_ID'] as const
type DeployedEnv = { [Key in (typeof deployedKeys)[number]]?: unknown }

export type ServerConfig = {
  host: string
  port: number
  logLevel: LogLevel
  /** Null in local mode: loopback only, one tenant, no tokens. */
  serviceSecret: string | null
  /** Fixed bearer token for `/metrics` and `/docs`, for scrapers that cannot sign. */
  metricsToken: string | null
  /** Slug of the tenant that local mode serves and that `NURA_REPOSITORY` belongs to. */
  tenant: string
  repository: string | null
  /** Whether `POST /v1/repositories` may name a folder of this machine. */
  allowLocalRepositories: boolean
  /** Hosts of wikis and trackers within one's own network that may be asked. */
  sourceHosts: string[]
  models: { dev: ModelName[]; pm: ModelName[]; architect: ModelName[]; embedding: ModelName[]; reranker: ModelName[] }
  modelSettings: ModelSettings
  /** The deployment option in force, and where each chain comes from. */
  lineUp: DrawnChains['lineUp']
  modelSources: DrawnChains['sources']
  embedderSettings: EmbedderSettings
  /** Most tokens that language models may use for one tenant in a day (UTC); null for no limit. */
  dayTokens: number | null
  limits: Limits
  /** Null: nothing is told to LangSmith. */
  langsmith: LangsmithConfig | null
}

/**
 * Judges the keys together and gives them their shape.
 * @param env what `readEnv` read of `serverEnv` and, beside it, of every other part of the process.
 * @param drawn what the deployment option made of the chains that `env` has
 * @throws NuraError `bad-environment` with every contradiction at once, each with its fix; values are never shown.
 */
export function toServerConfig(env: ServerEnv & DeployedEnv, drawn: Omit<DrawnChains, 'env'> = drawChains({})): ServerConfig {
  const faults = [...drawn.faults, ...contradictions(env)]
  if (faults.length > 0) throw new NuraError('bad-environment', `The environment is not usable:\n${faults.map((fault) => `  ${fault}`).join('\n')}`)
  return {
    host: env.HOST,
    port: env.PORT,
    logLevel: env.LOG_LEVEL,
    serviceSecret: env.NURA_SERVICE_SECRET ?? null,
    metricsToken: env.NURA_METRICS_TOKEN ?? null,
    tenant: env.NURA_TENANT,
    repository: env.NURA_REPOSITORY ?? null,
    allowLocalRepositories: (env.NURA_LOCAL_REPOSITORIES ?? (env.NURA_SERVICE_SECRET ? 'refuse' : 'allow')) === 'allow',
    sourceHosts: env.NURA_SOURCE_HOSTS,
    models: { dev: env.DEV_MODELS, pm: env.PM_MODELS, architect: env.ARCHITECT_MODELS, embedding: env.EMBEDDING_MODELS, reranker: env.RERANKER_MODELS },
    modelSettings: toModelSettings(env),
    lineUp: drawn.lineUp,
    modelSources: drawn.sources,
    embedderSettings: toEmbedderSettings(env),
    dayTokens: env.NURA_DAY_TOKENS ?? null,
    limits: toLimits(env, env.NURA_SERVICE_SECRET !== undefined),
    langsmith: toLangsmithConfig(env),
  }
}

/** @throws NuraError `bad-environment` */
export function readServerConfig(env: NodeJS.ProcessEnv = process.env): ServerConfig {
  const deployed = Object.fromEntries(deployedKeys.map((key) => [key, env[key]?.trim() || undefined]))
  const drawn = drawChains(env)
  return toServerConfig({ ...readEnv(serverEnv, drawn.env), ...deployed }, drawn)
}

/** True for an address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase()
  return bare === 'localhost' || bare === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(bare)
}

function toModelSettings(env: ServerEnv): ModelSettings {
  const files = [env.AWS_CONFIG_FILE ?? join(homedir(), '.aws', 'config'), env.AWS_SHARED_CREDENTIALS_FILE ?? join(homedir(), '.aws', 'credentials')]
  return {
    openai: { apiKey: env.OPENAI_API_KEY ?? null, baseUrl: env.OPENAI_BASE_URL },
    anthropic: { apiKey: env.ANTHROPIC_API_KEY ?? null, baseUrl: env.ANTHROPIC_BASE_URL },
    // The AWS SDK for JavaScript reads AWS_REGION alone; the other name is that of AWS's other tools.
    bedrock: { region: env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? null, hasProfile: files.some((file) => existsSync(file)) },
  }
}

function toEmbedderSettings(env: ServerEnv): EmbedderSettings {
  return { openai: toModelSettings(env).openai, sagemaker: { endpoint: env.SAGEMAKER_EMBEDDING_ENDPOINT ?? null } }
}

function contradictions(env: ServerEnv & DeployedEnv): string[] {
  const settings = toModelSettings(env)
  const faults = (['DEV_MODELS', 'PM_MODELS', 'ARCHITECT_MODELS'] as const).flatMap((key) => lackingKeys(env[key], settings).map((fault) => `${key}: ${fault}`))
  faults.push(...lackingEmbedderKeys(env.EMBEDDING_MODELS, toEmbedderSettings(env)).map((fault) => `EMBEDDING_MODELS: ${fault}`))
  faults.push(...[langsmithFault(env)].filter((fault) => fault !== null))
  if (env.NURA_SERVICE_SECRET) return faults
  const reasons = deployedKeys.filter((key) => env[key] !== undefined)
  if (reasons.length > 0) {
    faults.push(`NURA_SERVICE_SECRET: is required because ${reasons.join(', ')} is set; make one with: openssl rand -base64 48`)
  }
  if (!isLoopback(env.HOST)) {
    faults.push('HOST: without NURA_SERVICE_SECRET Nura listens on 127.0.0.1 only; set the secret, or leave HOST unset')
  }
  if (env.NURA_TENANT !== 'local') {
    faults.push('NURA_TENANT: without NURA_SERVICE_SECRET there is one tenant, "local"; set the secret, or leave NURA_TENANT unset')
  }
  return faults
}

/** A chain as an environment key holds it. `read` says what is wrong with it in the key's own name; the key is prefixed again by `readEnv`. */
function chain(key: string, fallback: string, read: (text: string, key: string) => ModelName[]) {
  return z
    .string()
    .default(fallback)
    .transform((text, check): ModelName[] => {
      try {
        return read(text, key)
      } catch (error) {
        if (!(error instanceof NuraError)) throw error
        check.addIssue({ code: 'custom', message: error.message.replace(`${key}: `, '') })
        return z.NEVER
      }
    })
}
