import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { createFakeWorkspace } from '#bot/testing/fake-slack-methods.ts'
import { startFakeSlack } from '#bot/testing/fake-slack.ts'
import { toDbConfig } from '#db/config.ts'
import { openDb } from '#db/index.ts'
import { migrate } from '#db/migrate.ts'
import { createTenant } from '#db/shared/tenants.ts'
import { createOrdinaryLogin } from '#db/testing/create-ordinary-login.ts'
import { readTestServer } from '#db/testing/config.ts'
import { createRepository } from '#server/testing/create-repository.ts'
import { startFakeCollector } from '#server/testing/fake-collector.ts'
import type { FakeCollector } from '#server/testing/fake-collector.ts'
import { startFakeLangsmith } from '#server/testing/fake-langsmith.ts'
import type { FakeLangsmith } from '#server/testing/fake-langsmith.ts'
import { startFakeOpenai } from '#server/testing/fake-openai.ts'
import type { FakeOpenai } from '#server/testing/fake-openai.ts'
import { openOwnStores } from '../testing/open-own-stores.ts'
import { startProcess } from '../testing/processes.ts'
import type { NuraProcess } from '../testing/processes.ts'
import { until } from '../testing/until.ts'

/** A tenant with a checkout that differs from all others' in its canary alone. */
export type AttackTenant = {
  readonly id: string
  readonly slug: string
  /** Name of a setting that only this tenant's sources have; questions of others ask for it. */
  readonly setting: string
  /** What stands beside the setting in code, document and path, and must be seen by nobody else. */
  readonly canary: string
  readonly dir: string
}

/**
 * A question that the sources of each tenant speak of, whosever setting it asks for: a prompt is made of it. Where sources hold
 * too little of a question, no model is asked.
 * @param mark tells it from others, to whoever reads the prompt; its signs are no words, so that nothing is searched for them
 */
export function toQuestion(setting: string, mark: string): string {
  return `How many orders of customers wait in the queue of the shop until a worker packs parcels, and what does ${setting} limit for everybody? ${mark}`
}

/** A number in signs that are no words. */
export function toMark(number: number): string {
  return [...number.toString(8)].map((digit) => '◆◇■□▲△●○'[Number(digit)]).join('')
}

/** One running Nura with several tenants, and everything outside that hears of them. */
export type TenantsDeployment = {
  readonly url: string
  readonly redisUrl: string | null
  readonly signingSecret: string
  readonly tenants: readonly AttackTenant[]
  readonly openai: FakeOpenai
  readonly langsmith: FakeLangsmith
  readonly collector: FakeCollector
  readonly nura: NuraProcess
  /** Calls the API as somebody of the tenant. `tenant` may be anyone's word. */
  call(tenant: { id: string }, method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<{ status: number; text: string; headers: Headers }>
  close(): Promise<void>
}

/** Characters: what is said in a thread comes back in its next prompt, and a model that says all of it once more is broken off for its length. */
const longestReply = 12_000

const secret = 'a service secret that is long enough to be one'
const signingSecret = 'a-signing-secret-of-slack'

/**
 * Starts Nura on the stores of the run (on a server as an ordinary login, with Redis), makes the tenants and indexes their
 * checkouts. The chat model says its whole prompt again, so that whatever reaches a prompt is shown; LangSmith is shown content.
 */
export async function startTenants(count: number): Promise<TenantsDeployment> {
  const closing: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const end of closing.toReversed()) await end()
  }
  try {
    return await start(count, closing, close)
  } catch (error) {
    await close()
    throw error
  }
}

async function start(count: number, closing: (() => Promise<unknown>)[], close: () => Promise<void>): Promise<TenantsDeployment> {
  const folder = await mkdtemp(join(tmpdir(), 'nura-tenants-'))
  closing.push(() => rm(folder, { recursive: true, force: true }))
  const stores = await openOwnStores()
  closing.push(stores.close)
  const server = readTestServer()
  const login = server === null ? null : await createOrdinaryLogin(server)
  if (login) closing.push(login.close)
  const openai = await startFakeOpenai({ reply: ({ messages }) => `${messages.map(({ content }) => (typeof content === 'string' ? content : JSON.stringify(content))).join('\n').slice(0, longestReply)} [1]\n` })
  const langsmith = await startFakeLangsmith()
  const collector = await startFakeCollector()
  const slack = await startFakeSlack(createFakeWorkspace())
  closing.push(openai.close, langsmith.close, collector.close, slack.close)
  const env = {
    NURA_DATA_DIR: join(folder, 'data'),
    NURA_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    NURA_SERVICE_SECRET: secret,
    NURA_LOCAL_REPOSITORIES: 'allow',
    NURA_LIMIT_ASKER: 'off',
    NURA_LIMIT_CHANNEL: 'off',
    NURA_LIMIT_TENANT: 'off',
    LOG_LEVEL: 'debug',
    SLACK_SIGNING_SECRET: signingSecret,
    SLACK_CLIENT_ID: '1.2',
    SLACK_CLIENT_SECRET: 'a-client-secret-of-slack',
    SLACK_STATE_SECRET: 'a-state-secret-that-is-long-enough-to-be-one',
    SLACK_API_URL: slack.url,
    OPENAI_API_KEY: 'sk-fake',
    OPENAI_BASE_URL: openai.url,
    DEV_MODELS: 'openai:fake-chat',
    PM_MODELS: 'openai:fake-chat',
    ARCHITECT_MODELS: 'openai:fake-chat',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '200',
    LANGSMITH_TRACING: 'true',
    LANGSMITH_API_KEY: 'lsv2-fake-key',
    LANGSMITH_ENDPOINT: langsmith.url,
    NURA_LANGSMITH_CONTENT: 'show',
    ...stores.env,
    ...(login && { DATABASE_URL: login.url }),
  }
  const tenants = await makeTenants(count, env, closing)
  const nura = await startProcess('infra/local.ts', { ...env, NURA_TENANT: tenants[0]!.slug, NURA_REPOSITORY: tenants[0]!.dir })
  closing.push(() => nura.end('SIGTERM'))

  const call: TenantsDeployment['call'] = async (tenant, method, path, body, headers = {}) => {
    const token = await toToken(tenant.id)
    const response = await fetch(`${nura.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'manual',
    })
    return { status: response.status, text: await response.text(), headers: response.headers }
  }
  for (const tenant of tenants.slice(1)) {
    const { status, text } = await call(tenant, 'POST', '/v1/repositories', { path: tenant.dir })
    if (status >= 300) throw new Error(`The checkout of ${tenant.slug} was not connected: ${text}`)
  }
  for (const tenant of tenants) {
    await until(`the checkout of ${tenant.slug} to be indexed`, async () => (await call(tenant, 'GET', '/v1/repositories')).text.includes('"state":"ready"'), { withinMs: 300_000, everyMs: 200 })
  }
  return { url: nura.url, redisUrl: stores.env.REDIS_URL ?? null, signingSecret, tenants, openai, langsmith, collector, nura, call, close }
}

/** Before anything runs, as an operator does with `npm run tenant`: the embedded store has one process at a time. */
async function makeTenants(count: number, env: { NURA_DATA_DIR: string; NURA_ENCRYPTION_KEY: string; DATABASE_URL?: string }, closing: (() => Promise<unknown>)[]): Promise<AttackTenant[]> {
  const db = await openDb(toDbConfig(env))
  try {
    await migrate(db)
    const tenants: AttackTenant[] = []
    for (let at = 0; at < count; at++) {
      const [setting, canary] = [`SETTING_${randomBytes(6).toString('hex')}`, `canary${randomBytes(8).toString('hex')}`]
      const repository = await createRepository({
        [`src/${canary}/limits.ts`]: `/** Reads ${setting}, the limit of the queue: ${canary}. */\nexport function readLimit(): string {\n  return process.env.${setting} ?? '${canary}'\n}\n`,
        'README.md': `# Shop\n\nOrders of customers wait in the queue of the shop until a worker packs parcels. It is limited by ${setting}, which stands at ${canary} for everybody.\n`,
      })
      closing.push(() => repository[Symbol.asyncDispose]())
      const slug = `tenant-${at}`
      tenants.push({ id: (await createTenant(db, { slug, name: slug })).id, slug, setting, canary, dir: repository.dir })
    }
    return tenants
  } finally {
    await db.close()
  }
}

function toToken(tenant: string): Promise<string> {
  const claims = new SignJWT({ tenant }).setProtectedHeader({ alg: 'HS256' })
  return claims.setAudience('nura').setSubject('test:ada').setExpirationTime('5 min').sign(Buffer.from(secret))
}
