import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { NuraError } from '#db/nura-error.ts'
import { readEnv } from '#db/read-env.ts'
import { logLevels } from './log.ts'
import type { LogLevel } from './log.ts'
import { defaultChain, lackingKeys, toChain } from './models/index.ts'
import type { ModelName, ModelSettings } from './models/index.ts'

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
  NURA_MODELS: z
    .never('development, production and enterprise need model providers that this version does not have; leave it unset')
    .optional(),
  DEV_MODELS: chain('DEV_MODELS', defaultChain, toChain),
  PM_MODELS: chain('PM_MODELS', defaultChain, toChain),
  ARCHITECT_MODELS: chain('ARCHITECT_MODELS', defaultChain, toChain),
  EMBEDDING_MODELS: chain('EMBEDDING_MODELS', 'lexical:default', readEmbedders),
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
  models: { dev: ModelName[]; pm: ModelName[]; architect: ModelName[]; embedding: ModelName[] }
  modelSettings: ModelSettings
  /** Most tokens that language models may use for one tenant in a day (UTC); null for no limit. */
  dayTokens: number | null
}

/**
 * Judges the keys together and gives them their shape.
 * @param env what `readEnv` read of `serverEnv` and, beside it, of every other part of the process.
 * @throws NuraError `bad-environment` with every contradiction at once, each with its fix; values are never shown.
 */
export function toServerConfig(env: ServerEnv & DeployedEnv): ServerConfig {
  const faults = contradictions(env)
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
    models: { dev: env.DEV_MODELS, pm: env.PM_MODELS, architect: env.ARCHITECT_MODELS, embedding: env.EMBEDDING_MODELS },
    modelSettings: toModelSettings(env),
    dayTokens: env.NURA_DAY_TOKENS ?? null,
  }
}

/** @throws NuraError `bad-environment` */
export function readServerConfig(env: NodeJS.ProcessEnv = process.env): ServerConfig {
  const deployed = Object.fromEntries(deployedKeys.map((key) => [key, env[key]?.trim() || undefined]))
  return toServerConfig({ ...readEnv(serverEnv, env), ...deployed })
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

function contradictions(env: ServerEnv & DeployedEnv): string[] {
  const settings = toModelSettings(env)
  const faults = (['DEV_MODELS', 'PM_MODELS', 'ARCHITECT_MODELS'] as const).flatMap((key) => lackingKeys(env[key], settings).map((fault) => `${key}: ${fault}`))
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

/** There is one embedder yet. */
function readEmbedders(text: string): ModelName[] {
  if (text.trim() !== 'lexical:default') throw new NuraError('bad-model', 'this version knows one embedding model: lexical:default')
  return [{ provider: 'lexical', model: 'default', baseUrl: null }]
}
