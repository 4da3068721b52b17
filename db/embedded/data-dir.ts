import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { NuraError } from '../nura-error.ts'

/** Who holds a data folder: the process, and where it serves once it does. */
export type Holder = { pid: number; url: string | null }

const Holder = z.object({ pid: z.int().positive(), started: z.string().nullable().default(null), url: z.string().nullable().default(null) })

export type HeldDataDir = {
  /** Where PGlite keeps its files. */
  store: string
  /** Writes down where this process serves, for `describeHolder`. */
  announce(url: string): Promise<void>
  /** The store's first creation is complete: from now on it is never thrown away. */
  complete(): Promise<void>
  release(): Promise<void>
}

/**
 * Takes a data folder for this process. PGlite itself would let two processes open one folder and ruin it. A lock whose
 * process is gone is taken over; a store whose first creation was cut off holds nothing yet and is begun anew.
 *
 * @throws NuraError `data-dir-in-use`, `data-dir-unusable`, `data-dir-damaged`
 */
export async function holdDataDir(dataDir: string): Promise<HeldDataDir> {
  const [lock, store, creating] = [join(dataDir, 'nura.lock'), join(dataDir, 'store'), join(dataDir, 'store.creating')]
  await mkdir(dataDir, { recursive: true, mode: 0o700 }).catch((cause) => {
    throw new NuraError('data-dir-unusable', `The data folder ${dataDir} cannot be made (${cause.code}). Set NURA_DATA_DIR to a folder that you may write to.`, { cause })
  })
  await takeLock(lock, dataDir)
  try {
    if (existsSync(creating)) await rm(store, { recursive: true, force: true })
    if (!existsSync(store)) await writeFile(creating, '')
    else if (!existsSync(join(store, 'PG_VERSION'))) {
      throw new NuraError('data-dir-damaged', `The store in ${store} is not complete. Delete that folder; Nura indexes anew at the next start.`)
    }
  } catch (error) {
    await rm(lock, { force: true })
    throw error
  }
  return {
    store,
    announce: async (url) => replaceLock(lock, { ...(await toOwner()), url }),
    complete: () => rm(creating, { force: true }),
    release: () => rm(lock, { force: true }),
  }
}

/** The live process that holds a data folder; null when none does. */
export async function describeHolder(dataDir: string): Promise<Holder | null> {
  const holder = await readLock(join(dataDir, 'nura.lock'))
  return holder && (await isAlive(holder)) ? { pid: holder.pid, url: holder.url } : null
}

async function takeLock(lock: string, dataDir: string): Promise<void> {
  // Linking a complete file is atomic, so that nobody ever reads a lock that is half written.
  const own = toAside(lock)
  await writeFile(own, JSON.stringify(await toOwner()), { mode: 0o600 })
  try {
    for (let tries = 0; tries < 200; tries++) {
      try {
        await link(own, lock)
        return
      } catch (error) {
        if ((error as { code?: string }).code !== 'EEXIST') throw error
      }
      const holder = await readLock(lock)
      if (holder && (await isAlive(holder))) throw inUse(dataDir, holder)
      if (!(await removeStale(lock))) await setTimeout(25)
    }
    throw inUse(dataDir, null)
  } finally {
    await rm(own, { force: true })
  }
}

/**
 * Removes a lock whose holder is gone. One at a time, and looked at again then: whoever comes later must not remove the
 * lock that the one before has just taken. False when another is at it.
 */
async function removeStale(lock: string): Promise<boolean> {
  const guard = `${lock}.takeover`
  try {
    await writeFile(guard, '', { flag: 'wx' })
  } catch {
    // Its maker was killed within these few lines.
    const age = Date.now() - (await stat(guard).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs
    if (age > 10_000) await rm(guard, { force: true })
    return false
  }
  try {
    const text = await readFile(lock, 'utf8').catch(() => null)
    const holder = text === null ? null : toHolder(text)
    // What is not there now may be there in a moment, taken by another: only what was read is removed.
    if (text !== null && !(holder && (await isAlive(holder)))) await rm(lock, { force: true })
    return true
  } finally {
    await rm(guard, { force: true })
  }
}

const toAside = (lock: string) => `${lock}.${randomUUID()}`

async function replaceLock(lock: string, content: unknown): Promise<void> {
  const next = toAside(lock)
  await writeFile(next, JSON.stringify(content), { mode: 0o600 })
  await rename(next, lock)
}

async function readLock(lock: string): Promise<z.output<typeof Holder> | null> {
  const text = await readFile(lock, 'utf8').catch(() => null)
  return text === null ? null : toHolder(text)
}

function toHolder(text: string): z.output<typeof Holder> | null {
  try {
    return Holder.parse(JSON.parse(text))
  } catch {
    return null
  }
}

async function toOwner() {
  return { pid: process.pid, started: await readStart(process.pid), url: null as string | null }
}

async function isAlive(holder: { pid: number; started: string | null }): Promise<boolean> {
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if ((error as { code?: string }).code !== 'EPERM') return false
  }
  // A restarted container gives the same process id to another process; when it was started tells them apart.
  const started = await readStart(holder.pid)
  return holder.started === null || started === null || holder.started === started
}

/** When a process was started, in the kernel's own count; null where there is no /proc. */
async function readStart(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
}

function inUse(dataDir: string, holder: { pid: number; url: string | null } | null): NuraError {
  const who = holder ? ` by process ${holder.pid}${holder.url ? `, which serves ${holder.url}` : ''}` : ''
  return new NuraError('data-dir-in-use', `The data folder ${dataDir} is held${who}. Stop that Nura first, or set NURA_DATA_DIR to another folder.`)
}
