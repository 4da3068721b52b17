import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDb, type Db } from '../index.ts'
import { findInstallation, saveInstallation } from '../shared/slack-installations.ts'
import { createTenant } from '../shared/tenants.ts'
import { describeHolder, holdDataDir } from './data-dir.ts'

let root: string
let folders = 0
beforeAll(async () => void (root = await mkdtemp(join(tmpdir(), 'nura-data-'))))
afterAll(() => rm(root, { recursive: true, force: true }))

const open = (dataDir: string): Promise<Db> => openDb({ url: null, dataDir, encryptionKey: null, poolSize: 1 })
const newFolder = () => join(root, `${++folders}`, 'deep')

describe('the lock', () => {
  test('a folder that a live process holds is refused with who holds it, and free once that one closes', async () => {
    const folder = newFolder()
    expect(await describeHolder(folder)).toBeNull()
    const held = await holdDataDir(folder)
    await held.announce('http://127.0.0.1:3000')
    await expect(open(folder)).rejects.toMatchObject({
      code: 'data-dir-in-use',
      message: expect.stringMatching(new RegExp(`held by process ${process.pid}, which serves http://127.0.0.1:3000`)),
    })
    expect(await describeHolder(folder)).toEqual({ pid: process.pid, url: 'http://127.0.0.1:3000' })
    await held.release()
    expect(await describeHolder(folder)).toBeNull()
    await (await holdDataDir(folder)).release()
  })

  test('of many who take a folder at once, with a stale lock in it or not, one gets it', async () => {
    for (const stale of [null, '{"pid":4194304}', '{"pid":1,"started":"long ago"}', 'half a lo']) {
      const folder = newFolder()
      await mkdir(folder, { recursive: true })
      if (stale !== null) await writeFile(join(folder, 'nura.lock'), stale)
      const tries = await Promise.allSettled(Array.from({ length: 8 }, () => holdDataDir(folder)))
      expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      expect(tries.flatMap((tried) => (tried.status === 'rejected' ? [tried.reason.code] : []))).toEqual(Array(7).fill('data-dir-in-use'))
    }
  })

  test('a folder that cannot be made says so', async () => {
    const file = join(root, 'a-file')
    await writeFile(file, '')
    await expect(holdDataDir(join(file, 'inside'))).rejects.toMatchObject({ code: 'data-dir-unusable' })
  })
})

describe('the store', () => {
  test('what was written is there again, tokens with it, under a key that only its owner may read', async () => {
    const folder = newFolder()
    const first = await open(folder)
    const tenant = await createTenant(first, { slug: 'kept', name: 'kept' })
    await saveInstallation(first, { tenantId: tenant.id, teamId: 'T1', enterpriseId: null, botToken: 'xoxb-kept', botUserId: 'U', installation: {} })
    await first.close()
    const second = await open(folder)
    expect(await findInstallation(second, { teamId: 'T1', enterpriseId: null })).toMatchObject({ botToken: 'xoxb-kept', tenantId: tenant.id })
    await second.close()
    expect((await stat(join(folder, 'encryption.key'))).mode & 0o777).toBe(0o600)
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
    expect(await readdir(folder)).toEqual(['encryption.key', 'store'])
  }, 300_000)

  test('a folder that is no store is not touched', async () => {
    const folder = newFolder()
    await mkdir(join(folder, 'store'), { recursive: true })
    await writeFile(join(folder, 'store', 'letter.txt'), 'dear all')
    await expect(open(folder)).rejects.toMatchObject({ code: 'data-dir-damaged', message: expect.stringContaining(join(folder, 'store')) })
    expect(await readFile(join(folder, 'store', 'letter.txt'), 'utf8')).toBe('dear all')
    expect(await describeHolder(folder)).toBeNull()
  })

  test('one whose first creation was cut off is begun anew; every event accepted before a kill is there after it', async () => {
    const folder = newFolder()
    await run(folder, 'cut', async (child) => {
      await seen(() => readdir(join(folder, 'store', 'base')).catch(() => []))
      child.kill('SIGKILL')
    })
    const accepted: string[] = []
    for (const life of ['one', 'two']) {
      await run(folder, life, async (child) => {
        let lines = 0
        for await (const line of createInterface({ input: child.stdout! })) {
          accepted.push(line)
          if (++lines === 40) child.kill('SIGKILL')
        }
      })
    }
    const db = await open(folder)
    const rows = await db.control((tx) => tx.query<{ event_key: string }>('select event_key from inbox'))
    await db.close()
    const kept = new Set(rows.map((row) => row.event_key))
    expect(accepted.length).toBeGreaterThanOrEqual(80)
    expect(accepted.filter((key) => !kept.has(key))).toEqual([])
  }, 300_000)
})

async function run(folder: string, prefix: string, meanwhile: (child: ReturnType<typeof spawn>) => Promise<void>): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../testing/accept-until-killed.ts'), folder, prefix], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  await meanwhile(child)
  await exited
}

async function seen(look: () => Promise<unknown[]>): Promise<void> {
  while ((await look()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
}
