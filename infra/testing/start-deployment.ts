import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SignJWT } from 'jose'
import { startProcess } from './processes.ts'
import type { NuraProcess } from './processes.ts'
import { until } from './until.ts'

export type ServiceEnv = Record<string, string> & { NURA_SERVICE_SECRET: string }

/** The processes beside the bot, and the environment a bot needs to join them. */
export type Deployment = { server: NuraProcess; jobs: NuraProcess; botEnv: ServiceEnv; close(): Promise<void> }

/**
 * Migrates the stores of `env`, starts server and jobs, and connects and indexes the checkout `dir` for the tenant `local`.
 * @param env what the three processes share: stores, secrets, and what the bot needs for Slack
 */
export async function startDeployment(env: ServiceEnv, dir: string): Promise<Deployment> {
  const migrate = join(import.meta.dirname, '..', 'migrate.ts')
  await promisify(execFile)(process.execPath, [migrate], { env: { PATH: process.env.PATH, ...env } })
  const server = await startProcess('server/main.ts', { ...env, NURA_LOCAL_REPOSITORIES: 'allow' })
  const botEnv = { ...env, NURA_SERVER_URL: server.url }
  // The bot's first start makes the tenant of a single workspace.
  const [jobs, bot] = await Promise.all([startProcess('jobs/main.ts', env), startProcess('bot/main.ts', botEnv)])
  await bot.end('SIGTERM')
  const headers = { authorization: `Bearer ${await toServiceToken(env.NURA_SERVICE_SECRET)}`, 'content-type': 'application/json' }
  const connected = await fetch(`${server.url}/v1/repositories`, { method: 'POST', headers, body: JSON.stringify({ path: dir }) })
  if (!connected.ok) throw new Error(`The repository was not connected: ${await connected.text()}`)
  await until('the repository to be indexed', async () => {
    const listed = (await (await fetch(`${server.url}/v1/repositories`, { headers })).json()) as { repositories?: { state: string }[] }
    return listed.repositories?.some(({ state }) => state === 'ready')
  })
  return {
    server,
    jobs,
    botEnv,
    async close() {
      await Promise.all([server.end('SIGTERM'), jobs.end('SIGTERM')])
    },
  }
}

/** A service token for a tenant, good for five minutes. */
export function toServiceToken(secret: string, tenant = 'local'): Promise<string> {
  const claims = new SignJWT({ tenant }).setProtectedHeader({ alg: 'HS256' })
  return claims.setAudience('nura').setSubject('operator').setExpirationTime('5 min').sign(new TextEncoder().encode(secret))
}
