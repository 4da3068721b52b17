import { randomUUID } from 'node:crypto'
import { LockMode, wrap } from '@mikro-orm/core'
import { z } from 'zod'
import { NuraError } from '../nura-error.ts'
import { readAtOnce } from '../at-once.ts'
import type { TenantDb } from '../tenant-db.ts'
import { lockCorpus, saveCorpus } from './corpus.ts'
import { dropFiles } from './remove-files.ts'
import { Repository } from './repository.ts'

export type NewRepository = Pick<Repository, 'name' | 'source' | 'location'> & Partial<Pick<Repository, 'url' | 'defaultBranch' | 'audience' | 'isPublic' | 'externalId' | 'installationId' | 'contentType' | 'place'>>

/** What only a source, a sync or a file of settings can tell. */
const unknownYet = {
  url: null, defaultBranch: null, indexedSha: null, indexedAt: null, indexedRules: null, error: null, externalId: null, installationId: null, headSha: null,
  settings: null, settingsSha: null, settingsFault: null, settingsToldSha: null, contentType: null, place: null, lookedAt: null, failingSince: null,
}

/** Connects a source; its first sync fills the index. @throws NuraError `repository-exists` */
export function addRepository(tenant: TenantDb, repository: NewRepository): Promise<Repository> {
  return tenant.transaction(async ({ em, query }) => {
    await query('select pg_advisory_xact_lock(hashtext($1))', [`${tenant.schema} repository`])
    if (await em.findOne(Repository, { name: repository.name })) {
      throw new NuraError('repository-exists', `The repository ${repository.name} is connected already.`, { field: 'name' })
    }
    const added = em.create(Repository, { ...unknownYet, id: randomUUID(), ...repository })
    await em.persist(added).flush()
    return toPlain(added)
  })
}

export function findRepository(tenant: TenantDb, idOrName: string): Promise<Repository | null> {
  const where = z.uuid().safeParse(idOrName).success ? { id: idOrName } : { name: idOrName }
  return tenant.transaction(async ({ em }) => {
    const found = await em.findOne(Repository, where)
    return found && toPlain(found)
  })
}

/** The repository that is read from this location, such as the folder of a checkout. */
export function findRepositoryAt(tenant: TenantDb, location: string): Promise<Repository | null> {
  return tenant.transaction(async ({ em }) => {
    const found = await em.findOne(Repository, { location, state: { $ne: 'forgetting' } })
    return found && toPlain(found)
  })
}

/** The repository that GitHub knows under this id, whatever its name is. */
export function findRepositoryByExternalId(tenant: TenantDb, externalId: number): Promise<Repository | null> {
  return tenant.transaction(async ({ em }) => {
    const found = await em.findOne(Repository, { externalId })
    return found && toPlain(found)
  })
}

/** In one round trip and without entities: what every question asks first. */
export function listRepositories(tenant: TenantDb): Promise<Repository[]> {
  return readAtOnce<Repository>(tenant, { text: `select ${columns} from repository order by name`, values: [] }, {})
}

const column: Record<Exclude<keyof Repository, symbol>, string> = {
  id: 'id', name: 'name', source: 'source', location: 'location', url: 'url', defaultBranch: 'default_branch', audience: 'audience', isPublic: 'is_public',
  indexedSha: 'indexed_sha', indexedAt: 'indexed_at', indexedRules: 'indexed_rules', state: 'state', error: 'error', externalId: 'external_id::float8', installationId: 'installation_id::float8',
  headSha: 'head_sha', settings: 'settings', settingsSha: 'settings_sha', settingsFault: 'settings_fault', settingsToldSha: 'settings_told_sha',
  contentType: 'content_type', place: 'site_place', lookedAt: 'looked_at', failingSince: 'failing_since', createdAt: 'created_at',
}
const columns = Object.entries(column).map(([name, from]) => `${from} as "${name}"`).join(', ')

/**
 * What is being forgotten stays so, whatever a sync that is still at work makes of it; see `reviveRepository`.
 * @throws NuraError `unknown-repository`
 */
export function updateRepository(tenant: TenantDb, id: string, change: Partial<Omit<Repository, 'id' | 'createdAt'>>): Promise<Repository> {
  return tenant.transaction(async ({ em }) => {
    const found = await em.findOne(Repository, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE })
    if (!found) throw new NuraError('unknown-repository', 'There is no such repository.', { field: 'id' })
    const { state, ...rest } = change
    em.assign(found, found.state === 'forgetting' || state === undefined ? rest : change)
    await em.flush()
    return toPlain(found)
  })
}

/**
 * Takes back that a repository is to be forgotten; the next sync brings back what is gone of it. Only for who holds the
 * repository's sync key, so that nobody is emptying it meanwhile.
 * @returns false when there is none, or nobody had asked to forget it
 */
export async function reviveRepository(tenant: TenantDb, id: string): Promise<boolean> {
  return (await tenant.transaction((tx) => tx.execute(`update repository set state = 'new' where id = $1 and state = 'forgetting'`, [id]))) > 0
}

/** What GitHub calls a repository and where it says that it is. */
export type RepositoryPlace = { id: string; name: string; location: string; url: string | null; isPublic: boolean; installationId: number }

/**
 * Moves repositories at once: two may have changed names with each other.
 * @param aside repositories that give up their name and get none instead
 */
export async function moveRepositories(tenant: TenantDb, places: RepositoryPlace[], aside: string[] = []): Promise<void> {
  await tenant.transaction(async (tx) => {
    // Names are unique at every moment, so each steps aside first.
    await tx.execute('update repository set name = id::text where id = any($1::uuid[])', [[...places.map(({ id }) => id), ...aside]])
    for (const { id, name, location, url, isPublic, installationId } of places) {
      await tx.execute('update repository set name = $2, location = $3, url = $4, is_public = $5, installation_id = $6 where id = $1', [id, name, location, url, isPublic, installationId])
    }
  })
}

/**
 * Deletes a repository and everything indexed of it. In steps, so that a large one does not hold up the tenant's writers:
 * it answers no question from the first step on, and calling again goes on where a crash left it.
 */
export async function removeRepository(tenant: TenantDb, id: string): Promise<void> {
  await tenant.transaction((tx) => tx.execute(`update repository set state = 'forgetting' where id = $1`, [id]))
  for (;;) {
    const left = await tenant.transaction(async (tx) => {
      const corpus = await lockCorpus(tx)
      const files = await tx.query<{ path: string }>('select path from file where repository_id = $1 limit 200', [id])
      await dropFiles(tx, corpus, id, files.map(({ path }) => path))
      await saveCorpus(tx, corpus)
      return files.length
    })
    if (left === 0) break
  }
  await tenant.transaction(async (tx) => {
    await tx.execute('delete from term where chunks <= 0 and files <= 0')
    await tx.execute('delete from repository where id = $1', [id])
  })
}

function toPlain(repository: Repository): Repository {
  return wrap(repository).toPOJO() as unknown as Repository
}
