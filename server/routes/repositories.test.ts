import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db } from '#db/index.ts'
import { addRepository, updateRepository } from '#db/tenant/repositories.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { readSettings } from '../indexing/settings.ts'
import { openTestServer, signToken } from '../testing/open-test-server.ts'
import type { TestServer } from '../testing/open-test-server.ts'

let db: Db
let server: TestServer
beforeAll(async () => {
  db = await openTestDb()
  server = await openTestServer(db)
})
afterAll(async () => {
  await server?.close()
  await db?.close()
})

test('a repository shows what its .nura.yml says, and what is wrong with it', async () => {
  const tenant = await createTestTenant(db)
  const { id } = await addRepository(tenant, { name: 'acme/app', source: 'git', location: '/nowhere' })
  const show = async () => {
    const response = await fetch(`${server.url}/v1/repositories/${id}`, { headers: { authorization: `Bearer ${await signToken(tenant)}` } })
    expect(response.status).toBe(200)
    const { settings, settingsFault } = (await response.json()) as { settings: unknown; settingsFault: unknown }
    return { settings, settingsFault }
  }
  expect(await show()).toEqual({ settings: null, settingsFault: null })
  const { settings } = readSettings('ignore: [docs/old]\nrecreate: false\n')
  await updateRepository(tenant, id, { settings, settingsSha: 'a'.repeat(40), settingsFault: null })
  expect(await show()).toEqual({ settings: { include: null, ignore: ['docs/old'], summarise: true, recreate: false, sources: [] }, settingsFault: null })
  const { fault } = readSettings('ignroe: []\n')
  await updateRepository(tenant, id, { settings: null, settingsFault: fault })
  expect(await show()).toEqual({ settings: null, settingsFault: expect.stringMatching(/line 1, `ignroe`/) })
})
