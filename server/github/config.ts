import { createPrivateKey } from 'node:crypto'
import { z } from 'zod'
import { NuraError } from '#db/nura-error.ts'
import { readEnv } from '#db/read-env.ts'

/** Keys of the GitHub App. */
export const githubEnv = {
  GITHUB_APP_ID: z.string().regex(/^\w[\w.]*$/, 'must be the id (or the client id) that the settings of the GitHub App show').optional(),
  GITHUB_PRIVATE_KEY: z
    .string()
    .transform((text, check) => toPem(text) ?? (check.addIssue('must be a private key that GitHub made for the App: the PEM text, its line ends as \\n or not, or base64 of it'), z.NEVER))
    .optional(),
  GITHUB_WEBHOOK_SECRET: z.string().optional(),
  GITHUB_API_URL: z
    .url({ protocol: /^https?$/, error: 'must be the REST root, such as https://api.github.com or https://github.example.com/api/v3' })
    .default('https://api.github.com')
    .transform((url) => url.replace(/\/+$/, '')),
  GITHUB_INSTALLATION_ID: whole(1, 'must be the number at the end of the address of the installation on GitHub').optional(),
  GITHUB_CLIENT_ID: z.string().optional(),
  GITHUB_CLIENT_SECRET: z.string().optional(),
  GITHUB_SUMMARY_INTERVAL: seconds('must be seconds between two summaries of one pull request, such as 30').default(30),
  GITHUB_SWEEP_INTERVAL: seconds('must be seconds between two looks for what a webhook missed, such as 300').default(300),
  GITHUB_WRITE_INTERVAL_MS: whole(0, 'must be milliseconds between two writes of one installation, such as 1000').default(1000),
}

export type GithubEnv = z.output<z.ZodObject<typeof githubEnv>>

export type GithubConfig = {
  appId: string
  /** PEM. */
  privateKey: string
  webhookSecret: string
  /** REST root without a slash at its end, such as `https://api.github.com` or `https://host/api/v3`. */
  apiUrl: string
  /** Where people look at it, such as `https://github.com`. */
  webUrl: string
  /** The one installation, which belongs to `NURA_TENANT`; null where installations are connected one by one. */
  installationId: number | null
  /** For the flows that a person signs in with; null: they are off. */
  client: { id: string; secret: string } | null
  summaryIntervalMs: number
  sweepIntervalMs: number
  /** Least time between two writes of one installation. */
  writeIntervalMs: number
}

/**
 * Judges the keys together. `GITHUB_API_URL` alone means nothing: other programs set it too.
 * @returns null when no App is configured
 * @throws NuraError `bad-environment`
 */
export function toGithubConfig(env: GithubEnv): GithubConfig | null {
  const faults = contradictions(env)
  if (faults.length > 0) throw new NuraError('bad-environment', `The environment is not usable:\n${faults.map((fault) => `  ${fault}`).join('\n')}`)
  if (!env.GITHUB_APP_ID || !env.GITHUB_PRIVATE_KEY || !env.GITHUB_WEBHOOK_SECRET) return null
  return {
    appId: env.GITHUB_APP_ID,
    privateKey: env.GITHUB_PRIVATE_KEY,
    webhookSecret: env.GITHUB_WEBHOOK_SECRET,
    apiUrl: env.GITHUB_API_URL,
    webUrl: toWebUrl(env.GITHUB_API_URL),
    installationId: env.GITHUB_INSTALLATION_ID ?? null,
    client: env.GITHUB_CLIENT_ID && env.GITHUB_CLIENT_SECRET ? { id: env.GITHUB_CLIENT_ID, secret: env.GITHUB_CLIENT_SECRET } : null,
    summaryIntervalMs: env.GITHUB_SUMMARY_INTERVAL * 1000,
    sweepIntervalMs: env.GITHUB_SWEEP_INTERVAL * 1000,
    writeIntervalMs: env.GITHUB_WRITE_INTERVAL_MS,
  }
}

/** @throws NuraError `bad-environment` with every fault at once; values are never shown */
export function readGithubConfig(env: NodeJS.ProcessEnv = process.env): GithubConfig | null {
  return toGithubConfig(readEnv(githubEnv, env))
}

/** `https://api.github.com` → `https://github.com`, `https://api.acme.ghe.com` → `https://acme.ghe.com`, `https://host/api/v3` → `https://host`. */
export function toWebUrl(apiUrl: string): string {
  const { protocol, host, origin } = new URL(apiUrl)
  return /^api\.(github\.com|[\w-]+\.ghe\.com)$/.test(host) ? `${protocol}//${host.slice('api.'.length)}` : origin
}

function contradictions(env: GithubEnv): string[] {
  const needed = ['GITHUB_APP_ID', 'GITHUB_PRIVATE_KEY', 'GITHUB_WEBHOOK_SECRET'] as const
  const optional = ['GITHUB_INSTALLATION_ID', 'GITHUB_CLIENT_ID', 'GITHUB_CLIENT_SECRET'] as const
  const given = [...needed, ...optional].filter((key) => env[key] !== undefined)
  const missing = given.length > 0 ? needed.filter((key) => env[key] === undefined) : []
  const faults = missing.map((key) => `${key}: is required because ${given.join(', ')} is set; the settings of the GitHub App have it`)
  const halves = [['GITHUB_CLIENT_ID', 'GITHUB_CLIENT_SECRET'], ['GITHUB_CLIENT_SECRET', 'GITHUB_CLIENT_ID']] as const
  for (const [half, other] of halves) if (env[half] !== undefined && env[other] === undefined) faults.push(`${other}: is required because ${half} is set`)
  return faults
}

function toPem(text: string): string | null {
  const decoded = text.includes('-----BEGIN') ? text : Buffer.from(text, 'base64').toString('utf8')
  const pem = decoded.replaceAll('\\n', '\n').replaceAll('\r', '').trim()
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa' ? pem : null
  } catch {
    return null
  }
}

function whole(least: number, message: string) {
  return z.coerce.number(message).int(message).min(least, message)
}

function seconds(message: string) {
  return z.coerce.number(message).min(0, message)
}
