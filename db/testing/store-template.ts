import { createHash } from 'node:crypto'
import { readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { DbConfig } from '../config.ts'
import { dumpEmbedded } from '../embedded/open-embedded.ts'
import { openDb, type Db } from '../index.ts'
import { storeOf } from '../store.ts'

const prefix = 'nura-test-store-'

/**
 * Opens a store in memory as a copy of one that was made and migrated before, which takes a fifth of the time. The copy is
 * kept in the machine's folder for temporary files, one for each state of the migrations.
 */
export async function openFromTemplate(config: DbConfig): Promise<Db> {
  const file = join(tmpdir(), `${prefix}${await fingerprint()}.tar`)
  const present = await readFile(file).catch(() => null)
  if (present) return openDb({ ...config, template: new Blob([present]) })
  const db = await openDb(config)
  const dump = await dumpEmbedded(storeOf(db).pool)
  if (dump) {
    const aside = `${file}.${process.pid}`
    await writeFile(aside, Buffer.from(await dump.arrayBuffer()))
    await rename(aside, file)
    await removeOld()
  }
  return db
}

/** Tells one state of the code that makes a store from another. */
async function fingerprint(): Promise<string> {
  const root = join(import.meta.dirname, '..')
  const pglite = join(dirname(createRequire(import.meta.url).resolve('@electric-sql/pglite')), '../package.json')
  const sources = ['migrate.ts', 'roles.ts', 'shared/migrations.ts', 'tenant/migrations.ts'].map((path) => join(root, path))
  const hash = createHash('sha256')
  for (const path of [pglite, ...sources]) hash.update(await readFile(path))
  return hash.digest('hex').slice(0, 16)
}

async function removeOld(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const path = join(tmpdir(), name)
    const age = name.startsWith(prefix) ? Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs : 0
    if (age > 24 * 60 * 60_000) await rm(path, { force: true })
  }
}
