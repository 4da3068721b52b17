import { isAbsolute, normalize } from 'node:path'
import { z } from 'zod'
import type { Db, TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { findGithubInstallation } from '#db/shared/github-installations.ts'
import { countIndexed } from '#db/tenant/count-indexed.ts'
import type { Indexed } from '#db/tenant/count-indexed.ts'
import { findRepository, listRepositories, updateRepository } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import type { ServerParts } from '../app.ts'
import { connectRepository } from '../connect-repository.ts'
import { connectSource } from '../connect-source.ts'
import { notFound } from '../errors.ts'
import { leaveHint } from './leave-hint.ts'
import { defineRoute } from './route.ts'

export const RepositoryBody = z.object({
  id: z.string(),
  name: z.string(),
  source: z.string(),
  url: z.string().nullable(),
  branch: z.string().nullable(),
  audience: z.enum(['tenant', 'granted', 'github']),
  isPublic: z.boolean(),
  contentType: z.enum(['documentation', 'business']).nullable().describe('What all of it counts as; null: each file by itself'),
  place: z.string().nullable().describe('What of a site is read, such as the key of a space'),
  state: z.enum(['new', 'indexing', 'ready', 'failed', 'forgetting']),
  error: z.string().nullable().describe('What is wrong and what to do, when the last sync failed'),
  indexedSha: z.string().nullable(),
  indexedAt: z.string().nullable(),
  settings: z.record(z.string(), z.unknown()).nullable().describe('What its .nura.yml says, defaults filled in; null while the defaults are in force'),
  settingsFault: z.string().nullable().describe('What is wrong with its .nura.yml, by line, and what to write'),
  files: z.int(),
  chunks: z.int(),
  skipped: z.record(z.string(), z.int()).describe('Files left out, counted by reason'),
})

const Id = z.object({ id: z.uuid() })

export const listRepositoriesRoute = defineRoute({
  method: 'GET',
  path: '/v1/repositories',
  summary: 'The repositories of the tenant and how far they are indexed',
  auth: 'tenant',
  answers: { status: 200, description: 'In order of name', json: z.object({ repositories: z.array(RepositoryBody) }) },
  async run({ tenant }) {
    return { status: 200, json: { repositories: await show(tenant, await listRepositories(tenant)) } }
  },
})

export const readRepositoryRoute = defineRoute({
  method: 'GET',
  path: '/v1/repositories/:id',
  summary: 'One repository: its state, what is indexed, what was left out and why',
  auth: 'tenant',
  params: Id,
  answers: { status: 200, description: 'The repository', json: RepositoryBody },
  async run({ tenant, params }) {
    return { status: 200, json: (await show(tenant, [await find(tenant, params.id)]))[0] }
  },
})

const Name = z
  .string()
  .regex(/^[\w.-]+(\/[\w.-]+)?$/, 'may hold letters, digits, dot, hyphen and underscore, and one slash')
  .max(200)

const Checkout = z.strictObject({
  source: z.literal('git').optional(),
  path: z
    .string('is required: the absolute path of a git checkout')
    .min(1)
    .max(4_000)
    .refine(isAbsolute, 'must be an absolute path'),
  name: Name.optional().describe('Default: as its remote calls it'),
  audience: z.enum(['tenant', 'granted'], 'must be "tenant" or "granted"').default('tenant'),
  isPublic: z.boolean().default(false).describe('True when anyone on the internet may read it'),
})

/** What every wiki and tracker is connected with. Who may read it cannot be guessed, so it has no default. */
const site = {
  name: Name.optional().describe('Default: its kind and what of it is read, such as "confluence/ENG"'),
  token: z.string('is required: a token of the API').trim().min(1).max(4_000).regex(/^[\x21-\x7e]+$/, 'must be the token as it was shown, without blanks'),
  contentType: z.enum(['documentation', 'business'], 'must be "documentation" or "business"').default('business'),
  audience: z.enum(['tenant', 'granted'], 'is required: "tenant" when everyone in the tenant may be answered from it, "granted" when only whom you grant it to'),
}
const url = z.url({ protocol: /^https?$/, error: 'must be the https address of the site, such as https://acme.atlassian.net' }).max(2_000)
const user = z.string().trim().min(1).max(320).regex(/^[^:\p{Cc}]+$/u, 'must be the e-mail address of the account that the token belongs to').optional().describe('The account of the token; leave it out for a personal access token')
const Confluence = z.strictObject({
  source: z.literal('confluence'), url, user, ...site,
  place: z.string('is required: the key of a space, such as ENG').regex(/^~?[A-Za-z0-9._-]{1,255}$/, 'must be the key of a space, such as ENG'),
})
const Jira = z.strictObject({
  source: z.literal('jira'), url, user, ...site,
  place: z.string('is required: the key of a project, such as SHOP').regex(/^[A-Z][A-Z0-9_]{1,99}$/, 'must be the key of a project, such as SHOP'),
})
const Notion = z.strictObject({ source: z.literal('notion'), url: url.optional().describe('Left out: Notion itself'), ...site })
const notionApi = 'https://api.notion.com'
type Connecting = z.output<typeof Confluence> | z.output<typeof Jira> | z.output<typeof Notion>

export const addRepositoryRoute = defineRoute({
  method: 'POST',
  path: '/v1/repositories',
  summary: 'Connect a git checkout of this machine, a space of Confluence, a project of Jira or a workspace of Notion, and index it; naming one that is connected indexes it again',
  auth: 'tenant',
  body: z.discriminatedUnion('source', [Checkout, Confluence, Jira, Notion], 'must be "git", "confluence", "jira" or "notion"'),
  answers: { status: 202, description: 'Accepted; the index follows', json: RepositoryBody },
  async run({ tenant, body, signal, log }, parts) {
    const repository = await ('path' in body ? connectCheckout(tenant, body, parts, signal) : connectSite(tenant, body, parts, signal))
    await leaveHint(log, () => parts.enqueue('sync-repository', { tenantId: tenant.id, repositoryId: repository.id }, { dedupe: repository.id }))
    return { status: 202, json: (await show(tenant, [repository]))[0] }
  },
})

async function connectCheckout(tenant: TenantDb, body: z.output<typeof Checkout>, parts: ServerParts, signal: AbortSignal): Promise<Repository> {
  if (!parts.config.allowLocalRepositories) {
    throw new NuraError('forbidden', 'Folders of the server may not be connected here; an operator allows it with NURA_LOCAL_REPOSITORIES=allow.', { field: 'path' })
  }
  const location = normalize(body.path)
  const head = await parts.openSource({ source: 'git', location }).head(signal).catch(nameField)
  return connectRepository(tenant, head, { ...body, location })
}

/** Nothing is kept of a site that cannot be read. */
async function connectSite(tenant: TenantDb, body: Connecting, parts: ServerParts, signal: AbortSignal): Promise<Repository> {
  const { source, contentType, audience, token } = body
  const location = (body.url ?? notionApi).replace(/\/+$/, '')
  const place = 'place' in body ? body.place : null
  const credentials = { token, ...('user' in body && body.user !== undefined ? { user: body.user } : {}) }
  await parts.openSource({ source, location, place, contentType }, { tenant, credentials }).check?.(signal)
  const name = body.name ?? (place === null ? source : `${source}/${place.replace('~', '')}`)
  return connectSource(tenant, { source, location, place, name, contentType, audience, credentials })
}

export const removeRepositoryRoute = defineRoute({
  method: 'DELETE',
  path: '/v1/repositories/:id',
  summary: 'Forget a repository and everything indexed of it; it answers no question from now on',
  auth: 'tenant',
  params: Id,
  answers: { status: 202, description: 'Accepted; the index is emptied next', json: RepositoryBody },
  async run({ tenant, params, log }, parts) {
    const found = await find(tenant, params.id)
    if (await isInstalled(parts.db, found)) {
      throw new NuraError('conflict', 'This repository comes with the GitHub App and would come back. Take it out of the installation on GitHub instead.', { field: 'id' })
    }
    const repository = await updateRepository(tenant, found.id, { state: 'forgetting' })
    await leaveHint(log, () => parts.enqueue('forget-repository', { tenantId: tenant.id, repositoryId: found.id }, { dedupe: found.id }))
    return { status: 202, json: (await show(tenant, [repository]))[0] }
  },
})

/** What an installation of the GitHub App has is decided on GitHub. */
async function isInstalled(db: Db, { source, installationId }: Repository): Promise<boolean> {
  return source === 'github' && installationId != null && (await findGithubInstallation(db, installationId))?.state === 'active'
}

async function find(tenant: TenantDb, id: string): Promise<Repository> {
  const found = await findRepository(tenant, id)
  if (!found) throw notFound()
  return found
}

async function show(tenant: TenantDb, repositories: Repository[]): Promise<z.infer<typeof RepositoryBody>[]> {
  const counts = await countIndexed(tenant, repositories.map(({ id }) => id))
  const none: Indexed = { files: 0, chunks: 0, skipped: {} }
  return repositories.map((repository) => ({
    id: repository.id,
    name: repository.name,
    source: repository.source,
    url: repository.url ?? null,
    branch: repository.defaultBranch ?? null,
    audience: repository.audience,
    isPublic: repository.isPublic,
    contentType: repository.contentType ?? null,
    place: repository.place ?? null,
    state: repository.state,
    error: repository.error ?? null,
    indexedSha: repository.indexedSha ?? null,
    indexedAt: repository.indexedAt ? new Date(repository.indexedAt).toISOString() : null,
    settings: repository.settings ?? null,
    settingsFault: repository.settingsFault ?? null,
    ...(counts.get(repository.id) ?? none),
  }))
}

function nameField(error: unknown): never {
  if (error instanceof NuraError && !error.retryable) throw new NuraError(error.code, error.message, { field: 'path', cause: error })
  throw error
}
