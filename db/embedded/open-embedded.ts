import { randomBytes } from 'node:crypto'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import type { DbConfig } from '../config.ts'
import { NuraError } from '../nura-error.ts'
import type { Pool } from '../pool.ts'
import { holdDataDir, type HeldDataDir } from './data-dir.ts'
import { createEmbeddedPool, type EmbeddedPool } from './embedded-pool.ts'
import { readEncryptionKey } from './encryption-key.ts'

export type Embedded = {
  kind: 'embedded'
  pool: EmbeddedPool
  encryptionKey: Buffer
  queue(): EmbeddedPool
  announce(url: string): Promise<void>
  close(): Promise<void>
}

const instances = new WeakMap<Pool, PGlite>()

/** The whole store as a file, for `template`. Nothing else may use the store meanwhile. */
export async function dumpEmbedded(pool: Pool): Promise<Blob | null> {
  return (await instances.get(pool)?.dumpDataDir('none')) ?? null
}

/**
 * Opens PGlite in `<dataDir>/store`, or in memory. Commits reach the operating system before they return: they survive
 * the death of the process, though not a power cut.
 */
export async function openEmbedded(config: DbConfig): Promise<Embedded> {
  const held = config.dataDir.startsWith('memory://') ? null : await holdDataDir(config.dataDir)
  try {
    const encryptionKey = config.encryptionKey ?? (held ? await readEncryptionKey(config.dataDir) : randomBytes(32))
    const db = await openPGlite(held, config.template)
    await held?.complete()
    // The queue's own statements are unqualified; everything else names its schema in each transaction.
    await db.exec('set search_path to bullmq, extensions; set random_page_cost to 1.1')
    const pool = createEmbeddedPool(db)
    instances.set(pool, db)
    const close = async () => {
      await pool.end()
      await db.close()
      await held?.release()
    }
    return { kind: 'embedded', pool, encryptionKey, queue: () => pool, announce: async (url) => held?.announce(url), close }
  } catch (error) {
    await held?.release()
    throw error
  }
}

async function openPGlite(held: HeldDataDir | null, template: Blob | undefined): Promise<PGlite> {
  try {
    return await PGlite.create({ dataDir: held?.store ?? 'memory://', extensions: { vector }, ...(held || !template ? {} : { loadDataDir: template }) })
  } catch (cause) {
    if (!held) throw cause
    throw new NuraError('data-dir-damaged', `The store in ${held.store} cannot be opened. Delete that folder; Nura indexes anew at the next start.`, { cause })
  }
}
