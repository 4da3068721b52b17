import { parseArgs } from 'node:util'
import { platforms } from '#bot/platforms.ts'
import { readDbConfig } from '#db/config.ts'
import { openDb } from '#db/index.ts'
import type { Db, TenantDb } from '#db/index.ts'
import { rotateKeys } from '#db/keys/rotate-keys.ts'
import { migrate } from '#db/migrate.ts'
import { NuraError } from '#db/nura-error.ts'
import { listGithubInstallations } from '#db/shared/github-installations.ts'
import { offboardTenant } from '#db/shared/offboard-tenant.ts'
import { createTenant, findTenant, listTenants } from '#db/shared/tenants.ts'
import type { Tenant } from '#db/shared/tenants.ts'
import { connectWorkspace, listWorkspaces } from '#db/shared/workspaces.ts'
import { countIndexed } from '#db/tenant/count-indexed.ts'
import { grantSource, listGrants, revokeSource } from '#db/tenant/grants.ts'
import type { GrantReader } from '#db/tenant/grants.ts'
import { findRepository, listRepositories, updateRepository } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { readJobsEnv, toJobsConfig } from '#jobs/config.ts'
import { readCacheEnv, toCacheConfig } from '#server/cache/config.ts'
import { openCache } from '#server/cache/open-cache.ts'
import { toCacheReceipt } from '#server/cache/to-cache-receipt.ts'
import { createGithubApp } from '#server/github/app.ts'
import { readGithubConfig } from '#server/github/config.ts'
import { adoptInstallation } from '#server/github/connect/adopt-installation.ts'
import { createLog } from '#server/log.ts'
import { createMetrics } from '#server/metrics.ts'
import { readServerConfig } from '#server/config.ts'
import { createEmbedders } from '#server/models/embedders.ts'
import { changeEmbeddings } from './change-embeddings.ts'
import { failWith } from './fail-with.ts'
import { tellUsage } from './tell-usage.ts'
import { toTable } from './to-table.ts'

const surfaces: readonly string[] = [...platforms.map(({ name }) => name), 'github']
const usage = `Usage: npm run tenant -- COMMAND

  create NAME [--title "Full name"]   a new tenant; NAME is its short name: lower-case letters, digits, hyphens
  list                                every tenant
  show NAME                           its repositories and connections
  connect NAME ${surfaces.map((name) => `${name}:ID`).join('|').padEnd(22)} says whose a workspace is before it installs Nura
  audience NAME REPO tenant|granted|github
                                      who may be answered from a repository: everyone in the tenant, only whom you grant it to,
                                      or only people whose linked GitHub account may read it there
  grant|revoke NAME REPO READER       READER is channel:ID or person:ID, such as channel:slack:T0123:C0456
  usage [NAME] [--since DAY]          what its language models did and cost, or everyone's; 30 days unless a first day is given, such as 2026-11-01
  embeddings NAME [--to MODEL | --cancel]
                                      the embedding space it is searched in; --to builds that of MODEL (provider:model, as in
                                      EMBEDDING_MODELS) beside it and switches at once, or goes on doing so; --cancel gives that up
  rotate-keys [NAME]                  a new key for the secrets of one tenant, or of everyone, wrapped by the master key of now; nothing
                                      needs to stop for it, and what an interrupted run left is done by the next
  delete NAME --yes                   deletes everything Nura holds of it, at once and for good, and prints a receipt
`

type Values = { title?: string | undefined; yes?: boolean | undefined; since?: string | undefined; to?: string | undefined; cancel?: boolean | undefined }
const stop = new AbortController()
type Command = (db: Db, args: readonly string[], values: Values) => Promise<string[]>

const commands: Record<string, Command> = {
  async create(db, [slug], { title }) {
    const made = await createTenant(db, { slug: needed(slug, 'NAME'), name: title ?? needed(slug, 'NAME') })
    return [`created ${made.slug} (${made.id}, schema ${made.schema})`]
  },

  async list(db) {
    const tenants = await listTenants(db)
    return tenants.length > 0 ? toTable(['name', 'title', 'id', 'since'], tenants.map((each) => [each.slug, each.name, each.id, toDay(each.createdAt)])) : ['There is no tenant yet. Make one: npm run tenant -- create NAME']
  },

  async show(db, [slug]) {
    const tenant = await find(db, slug)
    const of = await db.tenant(tenant.id)
    const repositories = await listRepositories(of)
    const counts = await countIndexed(of, repositories.map(({ id }) => id))
    const workspaces = await listWorkspaces(db, tenant.id)
    const installations = await listGithubInstallations(db, tenant.id)
    return [
      `${tenant.slug}: ${tenant.name} (${tenant.id}, schema ${tenant.schema}, since ${toDay(tenant.createdAt)})`,
      `connections: ${workspaces.map(({ surface, id }) => `${surface}:${id}`).join(', ') || 'none'}`,
      ...installations.map(({ id, account, state }) => `github:${id} is ${account}${state === 'active' ? '' : `, ${state}`}`),
      ...(repositories.length === 0
        ? ['repositories: none']
        : toTable(
            ['repository', 'state', 'readable by', 'commit', 'files', 'chunks'],
            repositories.map((each) => [each.name, each.state, each.isPublic ? 'anyone' : each.audience, each.indexedSha?.slice(0, 7) ?? '-', String(counts.get(each.id)?.files ?? 0), String(counts.get(each.id)?.chunks ?? 0)]),
          )),
      ...repositories.flatMap(({ name, settings, settingsFault }) => (settingsFault ? [`${name}: ${settingsFault}`] : settings ? [`${name} has a .nura.yml: ${JSON.stringify(settings)}`] : [])),
    ]
  },

  async connect(db, [slug, workspace]) {
    const tenant = await find(db, slug)
    const [, surface, id] = /^([a-z]+):(.+)$/.exec(needed(workspace, 'SURFACE:ID')) ?? []
    if (!surface || !id || !surfaces.includes(surface)) throw new NuraError('usage', `connect to one of ${surfaces.map((name) => `${name}:ID`).join(', ')}, such as ${surfaces[0]}:T0123ABCD`)
    if (surface === 'github') return await connectInstallation(db, tenant, id)
    await connectWorkspace(db, tenant.id, { surface, id })
    return [`${surface}:${id} belongs to ${tenant.slug}`]
  },

  async audience(db, [slug, name, audience]) {
    const { tenant, repository } = await findIn(db, slug, name)
    if (audience !== 'tenant' && audience !== 'granted' && audience !== 'github') throw new NuraError('usage', 'the audience of a repository is tenant, granted or github')
    if (audience === 'github' && repository.source !== 'github') throw new NuraError('usage', `${repository.name} is not read from GitHub, so nobody's rights there can open it; its audience is tenant or granted`)
    await updateRepository(tenant, repository.id, { audience })
    const readers = await listGrants(tenant, repository.id)
    const granted = readers.length > 0 ? readers.map(({ kind, id }) => `${kind}:${id}`).join(', ') : `nobody yet; see npm run tenant -- grant`
    const whom = { tenant: `everyone in ${slug}`, granted, github: 'people who have linked a GitHub account that may read it there' }
    return [`${repository.name} answers ${whom[audience]}`]
  },

  async grant(db, [slug, name, to]) {
    const { tenant, repository } = await findIn(db, slug, name)
    const reader = toReader(to)
    await grantSource(tenant, repository.id, reader)
    return [`${repository.name} answers ${reader.kind}:${reader.id}${repository.audience === 'tenant' ? `, as it does everyone in ${slug}; to change that: npm run tenant -- audience ${slug} ${repository.name} granted` : ''}`]
  },

  async revoke(db, [slug, name, from]) {
    const { tenant, repository } = await findIn(db, slug, name)
    const reader = toReader(from)
    await revokeSource(tenant, repository.id, reader)
    return [`${repository.name} is no longer granted to ${reader.kind}:${reader.id}`]
  },

  async usage(db, [slug], { since }) {
    return await tellUsage(db, slug === undefined ? await listTenants(db) : [await find(db, slug)], since)
  },

  async embeddings(db, [slug], wish) {
    const { models, embedderSettings: settings } = readServerConfig()
    const log = createLog({ level: 'warn', process: 'tenant', destination: process.stderr })
    const embedders = createEmbedders({ chain: models.embedding, settings, log })
    return await changeEmbeddings(db, await find(db, slug), wish, { embedders, log, out: process.stderr, signal: stop.signal })
  },

  async 'rotate-keys'(db, [slug]) {
    const rows = []
    for (const tenant of slug === undefined ? await listTenants(db) : [await find(db, slug)]) {
      const { resealed, unreadable, destroyed } = await rotateKeys(db, tenant.id)
      rows.push([tenant.slug, resealed, unreadable, destroyed].map(String))
    }
    if (rows.some(([, , unreadable]) => unreadable !== '0')) process.exitCode = 1
    return toTable(['tenant', 'sealed anew', 'opened by no key here', 'keys destroyed'], rows)
  },

  async delete(db, [slug], { yes }) {
    const tenant = await find(db, slug)
    if (!yes) throw new NuraError('usage', `this deletes everything Nura holds of ${tenant.slug} (${tenant.name}), for good. Say so: npm run tenant -- delete ${tenant.slug} --yes`)
    const receipt = await offboardTenant(db, tenant.id, { dropElsewhere: async (id) => toCacheReceipt(await dropCached(id)) })
    const rows = receipt?.steps.flatMap(({ dropped }) => dropped) ?? []
    return [`deleted ${tenant.slug} (${tenant.id}) at ${receipt?.endedAt?.toISOString() ?? 'a moment still to come'}`, ...toTable(['store', 'table', 'rows'], rows.map(({ store, table, rows: count }) => [store, table, String(count)]))]
  },
}

/** `npm run tenant`: the operator's hand on tenants. */
async function main(): Promise<void> {
  const { values, positionals } = parse()
  const [name, ...args] = positionals
  if (values.help || name === undefined) return void process.stdout.write(usage)
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command) throw new NuraError('usage', `there is no command "${name}".\n${usage}`)
  const db = await openDb(readDbConfig())
  try {
    if (db.kind === 'embedded') await migrate(db)
    else await db.ready()
    for (const line of await command(db, args, values)) console.log(line)
  } finally {
    await db.close()
  }
}

function parse() {
  try {
    return parseArgs({ options: { title: { type: 'string' }, yes: { type: 'boolean' }, since: { type: 'string' }, to: { type: 'string' }, cancel: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } }, allowPositionals: true })
  } catch (error) {
    throw new NuraError('usage', `${(error as Error).message}\n${usage}`)
  }
}

/** What processes share of it is dropped; undefined where they share nothing, and what each holds goes with its time. */
async function dropCached(tenantId: string): Promise<number | null | undefined> {
  const config = toCacheConfig(readCacheEnv(), toJobsConfig(readJobsEnv(), readDbConfig()))
  if (config.url === null) return undefined
  const log = createLog({ level: 'error', process: 'tenant', destination: process.stderr })
  const { cache, door } = openCache(config, { log, metrics: createMetrics() })
  try {
    await door?.connected(2_000)
    return await cache.dropTenant(tenantId)
  } finally {
    await cache.close()
  }
}

/** Where the App can be asked, an installation is checked and named; else whose it is is said beforehand, and the first event fills it in. */
async function connectInstallation(db: Db, tenant: Tenant, text: string): Promise<string[]> {
  const id = Number(text)
  if (!Number.isSafeInteger(id) || id < 1) throw new NuraError('usage', 'a GitHub installation is named by the number at the end of the address of its settings, such as github:12345678')
  const config = readGithubConfig()
  if (config === null) {
    await connectWorkspace(db, tenant.id, { surface: 'github', id: String(id) })
    return [`github:${id} belongs to ${tenant.slug}; not checked with GitHub, because GITHUB_APP_ID is not set here`]
  }
  const github = createGithubApp(config, { db, log: createLog({ level: 'warn', process: 'tenant', destination: process.stderr }) })
  const { account, isSuspended } = await adoptInstallation(db, github, tenant.id, id)
  return [`github:${id} (${account}) belongs to ${tenant.slug}${isSuspended ? '; it is suspended on GitHub' : '; its repositories are listed and indexed next, by the jobs process'}`]
}

async function findIn(db: Db, slug: string | undefined, name: string | undefined): Promise<{ tenant: TenantDb; repository: Repository }> {
  const tenant = await db.tenant((await find(db, slug)).id)
  const repository = await findRepository(tenant, needed(name, 'REPO'))
  if (!repository) throw new NuraError('unknown-repository', `There is no repository "${name}". See them all: npm run tenant -- show ${slug}`)
  return { tenant, repository }
}

function toReader(text: string | undefined): GrantReader {
  const [, kind, id] = /^(channel|person):(.+)$/.exec(needed(text, 'READER')) ?? []
  if (!kind || !id) throw new NuraError('usage', 'name a reader as channel:ID or person:ID, such as channel:slack:T0123:C0456')
  return { kind: kind as GrantReader['kind'], id }
}

async function find(db: Db, slug: string | undefined): Promise<Tenant> {
  const tenant = await findTenant(db, needed(slug, 'NAME'))
  if (!tenant) throw new NuraError('unknown-tenant', `There is no tenant "${slug}". See them all: npm run tenant -- list`)
  return tenant
}

function needed(value: string | undefined, what: string): string {
  if (!value) throw new NuraError('usage', `${what} is missing.\n${usage}`)
  return value
}

function toDay(date: Date): string {
  return new Date(date).toISOString().slice(0, 10)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => stop.abort(new NuraError('interrupted', 'interrupted; what was made so far is kept, and the same command goes on with it.')))
}
await main().catch((error: unknown) => {
  process.exitCode = failWith(error, process.stderr)
})
