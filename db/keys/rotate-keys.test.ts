import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { encrypt } from '../encryption.ts'
import type { Db, TenantDb } from '../index.ts'
import { createTestRepository } from '../testing/create-repository.ts'
import { startFakeKms } from '../testing/fake-kms.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { watchSql } from '../testing/watch-sql.ts'
import { findInstallation, saveInstallation } from '../shared/slack-installations.ts'
import { storeOf } from '../store.ts'
import { readCredentials, saveCredentials } from '../tenant/source-credentials.ts'
import { runTransaction } from '../transaction.ts'
import { createKeyring, type KeyringConfig } from './keyring.ts'
import { toKeyId } from './local-master-key.ts'
import { rotateKeys } from './rotate-keys.ts'

let db: Awaited<ReturnType<typeof openTestDb>>
beforeAll(async () => void (db = await openTestDb()))
afterAll(() => db.close())

let places = 0
type Seat = { tenant: TenantDb; place: { teamId: string; enterpriseId: null }; repositoryId: string; token: string }

/** A tenant with a bot token and the credentials of a source. */
async function seat(): Promise<Seat> {
  const tenant = await createTestTenant(db)
  const place = { teamId: `T${++places}`, enterpriseId: null }
  const token = `xoxb-${randomBytes(12).toString('hex')}`
  const { repositoryId } = await createTestRepository(tenant)
  await install(db, tenant, place, token)
  await saveCredentials(tenant, repositoryId, { token: `ghs_${token}` })
  return { tenant, place, repositoryId, token }
}

const install = (door: Db, tenant: TenantDb, place: Seat['place'], botToken: string) => saveInstallation(door, { tenantId: tenant.id, ...place, botToken, botUserId: 'U1', installation: {} })
const tokenOf = async ({ place }: Seat, door: Db = db) => (await findInstallation(door, place))?.botToken
const sealedOf = async ({ place }: Seat) => (await db.control((tx) => tx.query<{ sealed: string }>('select bot_token as sealed from slack_installation where team_id = $1', [place.teamId])))[0]!.sealed
const keysOf = ({ tenant }: Seat) => db.control((tx) => tx.query<{ id: string; wrappedBy: string; live: boolean }>('select id, wrapped_by as "wrappedBy", retired_at is null as live from tenant_key where tenant_id = $1', [tenant.id]))

/** The same store as another process sees it, which has other master keys and has unwrapped nothing yet. */
async function elsewhere<T>(keys: Partial<KeyringConfig>, run: () => Promise<T>): Promise<T> {
  const store = storeOf(db) as { keyring: unknown }
  const own = store.keyring
  store.keyring = createKeyring({ encryptionKey: db.config.encryptionKey, ...keys })
  try {
    return await run()
  } finally {
    store.keyring = own
  }
}

describe('T16: tokens at rest', () => {
  test('T16: every table of a tenant and of the control plane, as text, holds no token', async () => {
    const { tenant, token } = await seat()
    const dump = async (schema: string) => {
      const owner = { role: null, schema: 'nura' }
      return runTransaction(storeOf(db), owner, async (tx) => {
        const tables = await tx.query<{ name: string }>('select tablename as name from pg_tables where schemaname = $1', [schema])
        const rows = []
        for (const { name } of tables) rows.push(...(await tx.query<{ row: string }>(`select whole::text as row from "${schema}"."${name}" as whole`)).map(({ row }) => `${name} ${row}`))
        return rows
      })
    }
    const rows = [...(await dump('nura')), ...(await dump(tenant.schema))]
    expect(rows.some((row) => row.startsWith('slack_installation ') && row.includes('v2.'))).toBe(true)
    expect(rows.some((row) => row.startsWith('repository ') && row.includes('v2.'))).toBe(true)
    expect(rows.filter((row) => /xox[bapr]-|ghs_/.test(row) || row.includes(token) || row.includes(Buffer.from(token).toString('base64url')) || row.includes(Buffer.from(token).toString('hex')))).toEqual([])
  })

  test('T16: a row of one tenant opens neither as another tenant’s nor with a bit flipped anywhere', async () => {
    const [mine, theirs] = [await seat(), await seat()]
    const sealed = await sealedOf(mine)
    const put = (to: Seat, text: string) => db.control((tx) => tx.execute('update slack_installation set bot_token = $2 where team_id = $1', [to.place.teamId, text]))
    await put(theirs, sealed)
    await expect(tokenOf(theirs)).rejects.toMatchObject({ code: 'secret-unreadable' })
    const [version, keyId, nonce, body] = sealed.split('.') as [string, string, string, string]
    for (const bit of Array.from({ length: 16 }, (_, at) => at * 17)) {
      const flip = (text: string) => {
        const bytes = Buffer.from(text, 'base64url')
        bytes[(bit >> 3) % bytes.length]! ^= 1 << (bit & 7)
        return bytes.toString('base64url')
      }
      for (const changed of [[version, keyId, flip(nonce), body], [version, keyId, nonce, flip(body)]]) {
        await put(mine, changed.join('.'))
        await expect(tokenOf(mine)).rejects.toMatchObject({ code: 'secret-unreadable' })
      }
    }
    await put(mine, sealed)
    expect(await tokenOf(mine)).toBe(mine.token)
  })

  test('T16: under another master key nothing opens, and the error names the key that is needed', async () => {
    const one = await seat()
    const id = toKeyId(db.config.encryptionKey!)
    await elsewhere({ encryptionKey: Buffer.alloc(32, 99) }, async () => {
      await expect(tokenOf(one)).rejects.toMatchObject({ code: 'encryption-key-wrong', message: expect.stringContaining(id) })
      await expect(readCredentials(one.tenant, one.repositoryId)).rejects.toMatchObject({ code: 'encryption-key-wrong' })
    })
    await elsewhere({ encryptionKey: null }, () => expect(install(db, one.tenant, one.place, 'x')).rejects.toMatchObject({ code: 'encryption-key-missing' }))
  })

  test('T16: a tenant’s secrets cannot be read any more once its key is destroyed', async () => {
    const [gone, kept] = [await seat(), await seat()]
    await db.control((tx) => tx.execute('delete from tenant_key where tenant_id = $1', [gone.tenant.id]))
    await elsewhere({}, async () => {
      await expect(tokenOf(gone)).rejects.toMatchObject({ code: 'secret-unreadable' })
      await expect(readCredentials(gone.tenant, gone.repositoryId)).rejects.toMatchObject({ code: 'secret-unreadable' })
      expect(await tokenOf(kept)).toBe(kept.token)
    })
  })
})

describe('rotation', () => {
  test('T16: seals everything under a new key and destroys the old one, which nothing opens with again', async () => {
    const one = await seat()
    const [before] = await keysOf(one)
    expect(await rotateKeys(db, one.tenant.id)).toMatchObject({ resealed: 2, unreadable: 0, destroyed: 1 })
    const after = await keysOf(one)
    expect(after).toEqual([expect.objectContaining({ live: true })])
    expect(after[0]!.id).not.toBe(before!.id)
    expect(await sealedOf(one)).toContain(`v2.${after[0]!.id}.`)
    expect(await tokenOf(one)).toBe(one.token)
    expect(await readCredentials(one.tenant, one.repositoryId)).toEqual({ token: `ghs_${one.token}` })
  })

  test('T16: rotations while people read and write: no error, no lost write', async () => {
    const seats = [await seat(), await seat()]
    let isRunning = true
    const errors: unknown[] = []
    const written = new Set(seats.map(({ token }) => token))
    const counts = { reads: 0, writes: 0, rotations: 0 }
    const traffic = seats.flatMap((one) => [
      (async () => {
        while (isRunning) {
          const seen = await tokenOf(one).catch((error: unknown) => void errors.push(error))
          if (!written.has(String(seen))) errors.push(`read ${String(seen)}`)
          counts.reads++
        }
      })(),
      (async () => {
        while (isRunning) {
          const token = `xoxb-${randomBytes(8).toString('hex')}`
          const before = one.token
          one.token = token
          written.add(token)
          await install(db, one.tenant, one.place, token).catch((error: unknown) => errors.push(error))
          await saveCredentials(one.tenant, one.repositoryId, { token }).catch((error: unknown) => errors.push(error))
          if ((await tokenOf(one)) !== token) errors.push(`lost a write: ${before} instead of ${token}`)
          if ((await readCredentials(one.tenant, one.repositoryId))?.token !== token) errors.push('lost credentials')
          counts.writes++
        }
      })(),
    ])
    for (let at = 0; at < 5; at++) {
      const done = await Promise.all(seats.map(({ tenant }) => rotateKeys(db, tenant.id)))
      errors.push(...done.filter(({ unreadable }) => unreadable > 0))
      counts.rotations += done.length
    }
    isRunning = false
    await Promise.all(traffic)
    expect(errors).toEqual([])
    expect(Math.min(counts.reads, counts.writes)).toBeGreaterThan(0)
    for (const one of seats) expect((await keysOf(one)).filter(({ live }) => live)).toHaveLength(1)
  })

  test('T16: two rotations of one tenant at once, and one cut off at any statement, leave everything readable', async () => {
    const one = await seat()
    await Promise.all([rotateKeys(db, one.tenant.id), rotateKeys(db, one.tenant.id)])
    expect(await tokenOf(one)).toBe(one.token)
    for (let cutAt = 1, ended = false; !ended; cutAt++) {
      let sent = 0
      const stop = watchSql(db, () => {
        if (++sent === cutAt) throw new Error('the process ended here')
      })
      ended = await rotateKeys(db, one.tenant.id).then(() => true, () => false)
      stop()
      expect(await tokenOf(one)).toBe(one.token)
      expect(await readCredentials(one.tenant, one.repositoryId)).toEqual({ token: `ghs_${one.token}` })
    }
    expect(await rotateKeys(db, one.tenant.id)).toMatchObject({ resealed: 2, unreadable: 0 })
    expect(await keysOf(one)).toHaveLength(1)
  })

  test('T16: what the master key sealed before tenants had keys opens, and is rewritten', async () => {
    const one = await seat()
    const master = db.config.encryptionKey!
    const old = encrypt(master, Buffer.from('xoxb-old'), `${one.tenant.id}:slack`)
    const text = ['v1', toKeyId(master), old.subarray(0, 12).toString('base64url'), old.subarray(12).toString('base64url')].join('.')
    await db.control((tx) => tx.execute('update slack_installation set bot_token = $2 where team_id = $1', [one.place.teamId, text]))
    expect(await tokenOf(one)).toBe('xoxb-old')
    await elsewhere({ encryptionKey: Buffer.alloc(32, 99) }, () => expect(tokenOf(one)).rejects.toMatchObject({ code: 'encryption-key-wrong', message: expect.stringContaining(toKeyId(master)) }))
    await rotateKeys(db, one.tenant.id)
    expect(await sealedOf(one)).toMatch(/^v2\./)
    expect(await tokenOf(one)).toBe('xoxb-old')
  })

  test('T16: the master key is changed for another and for one of KMS; the one before is needed until then', async () => {
    const one = await seat()
    const next = Buffer.alloc(32, 42)
    await elsewhere({ encryptionKey: next, previousKeys: [db.config.encryptionKey!] }, async () => {
      expect(await tokenOf(one)).toBe(one.token)
      await rotateKeys(db, one.tenant.id)
    })
    expect(await keysOf(one)).toEqual([expect.objectContaining({ wrappedBy: toKeyId(next) })])
    await elsewhere({}, () => expect(tokenOf(one)).rejects.toMatchObject({ code: 'encryption-key-wrong' }))

    const kms = await startFakeKms()
    for (const [key, value] of Object.entries({ AWS_ENDPOINT_URL_KMS: kms.url, AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' })) vi.stubEnv(key, value)
    const kmsKey = kms.addKey()
    await elsewhere({ encryptionKey: next, kmsKey }, () => rotateKeys(db, one.tenant.id))
    expect(await keysOf(one)).toEqual([expect.objectContaining({ wrappedBy: `kms:${kmsKey}` })])
    kms.requests.length = 0
    await elsewhere({ encryptionKey: null, kmsKey }, async () => {
      expect([await tokenOf(one), await tokenOf(one)]).toEqual([one.token, one.token])
      expect(kms.requests.filter(({ action }) => action === 'Decrypt')).toHaveLength(1)
    })
    vi.unstubAllEnvs()
    await kms.close()
  })

  test('a rotation tells what no key opens, and leaves it and its key alone', async () => {
    const one = await seat()
    await elsewhere({ encryptionKey: Buffer.alloc(32, 99) }, async () => expect(await rotateKeys(db, one.tenant.id)).toMatchObject({ resealed: 0, unreadable: 2, destroyed: 0 }))
    await elsewhere({ previousKeys: [Buffer.alloc(32, 99)] }, async () => {
      expect(await tokenOf(one)).toBe(one.token)
      expect(await rotateKeys(db, one.tenant.id)).toMatchObject({ resealed: 2, destroyed: 2 })
    })
  })
})
