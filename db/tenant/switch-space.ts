import { setImmediate as nextTurn } from 'node:timers/promises'
import { storeOf } from '../store.ts'
import type { TenantDb } from '../tenant-db.ts'
import type { Transaction } from '../transaction.ts'
import { asOwner, asOwnerAlone, asOwnerInPassing, whenFree } from './as-owner.ts'
import { lockCorpus } from './corpus.ts'
import { needed } from './next-space.ts'
import { toVectorIndexName } from './space.ts'
import { buildSettings, indexesOn, toVectorIndex } from './vector-index.ts'

/** Columns in use, and beside each the one that holds the same of the next space. */
const pairs = [
  ['embedding', 'next_embedding'],
  ['embedding_model', 'next_model'],
  ['chunk_key', 'next_key'],
] as const
const nextColumns = ['next_embedding', 'next_model', 'next_key']
const clearedAtOnce = 500

/** Takes away what indexes lie on the vectors beside those in use, but for the target's: filling is an update in place without them. */
export function dropOtherIndexes(tenant: TenantDb, target: string | null, signal?: AbortSignal): Promise<void> {
  return asOwnerInPassing(
    tenant,
    async (tx, hurry) => {
      const { nextSpace } = await lockCorpus(tx)
      if (nextSpace !== target) return
      const kept = target === null ? null : toVectorIndexName(target)
      // While the target's stands, all but a few rows are filled, and the index of their keys is of use.
      if (kept !== null && (await indexesOn(tx, nextColumns)).includes(kept)) return
      await hurry()
      for (const name of await indexesOn(tx, nextColumns, 'broken')) await tx.query(`drop index ${name}`)
    },
    signal,
  )
}

/**
 * Builds the indexes that the target's vectors are searched and found by; those that stand already stay. On a server readers and
 * writers of the index go on meanwhile; the embedded store has one session, and nobody goes on.
 */
export async function buildNextIndexes(tenant: TenantDb, target: string, signal?: AbortSignal): Promise<void> {
  const { kind } = storeOf(tenant)
  const definitions = {
    [toVectorIndexName(target)]: toVectorIndex(kind, target, { vector: 'next_embedding', model: 'next_model' }),
    knowledge_base_next_key: 'on knowledge_base (next_model, next_key)',
  }
  const concurrently = kind === 'embedded' ? '' : 'concurrently'
  await whenFree(async () => {
    const [missing, settings] = await dropMisplaced(tenant, Object.keys(definitions), signal)
    const statements = missing.map((name) => `create index ${concurrently} ${name} ${definitions[name]}`)
    if (concurrently) await asOwnerAlone(tenant, [...settings.map((setting) => `set ${setting}`), ...statements])
    else await asOwner(tenant, async (tx) => {
      for (const text of [...settings.map((setting) => `set local ${setting}`), ...statements]) await tx.query(text)
    })
  }, signal)
  await asOwner(tenant, (tx) => tx.query('analyze knowledge_base'))
}

/** Drops those of these indexes that lie on other columns, or whose building was cut off. @returns those that do not stand, and what to set to build them */
function dropMisplaced(tenant: TenantDb, names: string[], signal?: AbortSignal): Promise<[missing: string[], settings: string[]]> {
  return asOwnerInPassing(
    tenant,
    async (tx, hurry) => {
      await lockCorpus(tx)
      const standing = await indexesOn(tx, nextColumns)
      const missing = names.filter((name) => !standing.includes(name))
      await hurry()
      for (const name of missing) await tx.query(`drop index if exists ${name}`)
      return [missing, await buildSettings(tx, storeOf(tenant).kind)]
    },
    signal,
  )
}

/**
 * Puts the target's vectors in the place of those in use, and those beside: columns change their names, so that no row is
 * written, and indexes go with their columns. Readers see all of it or nothing, and wait for some milliseconds at most.
 *
 * @returns `missing` when rows without a vector of the target, or its indexes, are still to be made; `replaced` when the tenant
 *   is no longer to change to the target. Nothing has changed then.
 */
export function switchSpace(tenant: TenantDb, target: string, signal?: AbortSignal): Promise<'switched' | 'missing' | 'replaced'> {
  return asOwnerInPassing(
    tenant,
    async (tx, hurry) => {
      const { nextSpace } = await lockCorpus(tx)
      if (nextSpace !== target) return 'replaced'
      const standing = await indexesOn(tx, nextColumns)
      if (![toVectorIndexName(target), 'knowledge_base_next_key'].every((name) => standing.includes(name))) return 'missing'
      await hurry()
      // An answer that is being saved must be seen here, or see what this has done.
      await tx.query('lock table cited_chunk in share row exclusive mode')
      const missing = await tx.query(`select 1 from knowledge_base where next_model is distinct from $1 and ${needed} limit 1`, [target])
      if (missing.length > 0) return 'missing'
      // Gone, cited by nobody, and kept only in case that they come back: not worth an embedding.
      await tx.execute('delete from knowledge_base where next_model is distinct from $1', [target])
      await tx.execute('update cited_chunk c set chunk_key = k.next_key from knowledge_base k where k.id = c.chunk_id')
      await swap(tx)
      await tx.execute('update corpus set active_space = $1, next_space = null, next_stale = true, index_version = index_version + 1', [target])
      return 'switched'
    },
    signal,
  )
}

async function swap(tx: Transaction): Promise<void> {
  await tx.query('lock table knowledge_base in access exclusive mode')
  await tx.query(`alter table knowledge_base ${pairs.map(([now, next]) => `alter ${now} drop not null, alter ${next} set not null`).join(', ')}`)
  for (const [now, next] of pairs) await rename(tx, 'table knowledge_base rename column', now, next)
  await rename(tx, 'index', 'knowledge_base_key', 'knowledge_base_next_key')
}

/** Two names change places by way of a third. */
async function rename(tx: Transaction, what: 'table knowledge_base rename column' | 'index', now: string, next: string): Promise<void> {
  const to = what === 'index' ? 'rename to' : 'to'
  for (const [from, into] of [[now, 'in_between'], [next, now], ['in_between', next]]) await tx.query(`alter ${what} ${from} ${to} ${into}`)
}

/**
 * Removes the vectors beside those in use, of a space that was left or not reached, in small steps. May be cut off anywhere and
 * called again; does nothing when a change is under way.
 */
export async function clearNextSpace(tenant: TenantDb, signal?: AbortSignal): Promise<void> {
  await dropOtherIndexes(tenant, null, signal)
  let after = '00000000-0000-0000-0000-000000000000'
  for (;;) {
    signal?.throwIfAborted()
    const last = await clearSome(tenant, after)
    if (last === null) break
    after = last
    await nextTurn()
  }
  if (storeOf(tenant).kind === 'embedded') await vacuum(tenant)
  await tenant.transaction((tx) => tx.execute('update corpus set next_stale = false where next_space is null'))
}

function clearSome(tenant: TenantDb, after: string): Promise<string | null> {
  return tenant.transaction(async (tx) => {
    const { nextSpace } = await lockCorpus(tx)
    if (nextSpace !== null) return null
    const rows = await tx.query<{ id: string }>(`select id from knowledge_base where id > $1 and next_model is not null order by id limit ${clearedAtOnce}`, [after])
    const ids = rows.map(({ id }) => id)
    await tx.execute('update knowledge_base set next_embedding = null, next_model = null, next_key = null where id = any($1::uuid[])', [ids])
    return ids.at(-1) ?? null
  })
}

/** A server vacuums by itself; the embedded store has nobody who would. */
async function vacuum(tenant: TenantDb): Promise<void> {
  const client = await storeOf(tenant).pool.connect()
  try {
    await client.query(`vacuum "${tenant.schema}".knowledge_base`)
  } finally {
    client.release()
  }
}
