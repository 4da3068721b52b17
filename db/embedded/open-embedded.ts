import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import type { DbConfig } from '../config.ts'
import { createEmbeddedPool, type EmbeddedPool } from './embedded-pool.ts'
import { holdDataDir } from './data-dir.ts'

/** Opens PGlite in `<dataDir>/store`, or in memory. */
export async function openEmbedded(config: DbConfig): Promise<{ kind: 'embedded'; pool: EmbeddedPool; encryptionKey: Buffer | null; queue(): EmbeddedPool; close(): Promise<void> }> {
  const held = config.dataDir.startsWith('memory://') ? null : await holdDataDir(config.dataDir)
  const db = await PGlite.create({ dataDir: held?.store ?? 'memory://', extensions: { vector } })
  await db.exec('set search_path to bullmq, extensions; set random_page_cost to 1.1')
  const pool = createEmbeddedPool(db)
  return {
    kind: 'embedded',
    pool,
    encryptionKey: config.encryptionKey,
    queue: () => pool,
    async close() {
      await pool.end()
      await db.close()
      await held?.release()
    },
  }
}
