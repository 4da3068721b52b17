import { Writable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db } from '#db/index.ts'
import { exclusively } from '#db/shared/exclusive.ts'
import { createTenant } from '#db/shared/tenants.ts'
import type { Tenant } from '#db/shared/tenants.ts'
import { readSpaceChange, startSpaceChange } from '#db/tenant/next-space.ts'
import { writeFiles } from '#db/tenant/write-files.ts'
import { createTestRepository } from '#db/testing/create-repository.ts'
import { makeFile } from '#db/testing/make-file.ts'
import { openTestDb } from '#db/testing/open-test-db.ts'
import { toSpaceKey } from '#server/indexing/space-key.ts'
import { createLog } from '#server/log.ts'
import { toEmbedders } from '#server/models/embedder.ts'
import { lexicalEmbedder } from '#server/models/lexical.ts'
import { createPermutedEmbedder } from '#server/testing/permuted-embedder.ts'
import { changeEmbeddings } from './change-embeddings.ts'

let db: Db
let tenant: Tenant
beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTenant(db, { slug: 'acme', name: 'Acme' })
  const of = await db.tenant(tenant.id)
  await writeFiles(of, await createTestRepository(of), [makeFile('a.ts', ['alpha', 'beta', 'gamma'])])
})
afterAll(() => db.close())

const embedder = createPermutedEmbedder('text-embedding-3-large/1024', 1)
let said = ''
const out = new Writable({
  write(chunk, _, done) {
    said += String(chunk)
    done()
  },
}) as unknown as NodeJS.WriteStream
const run = async (wish: { to?: string; cancel?: boolean }, signal = new AbortController().signal) => {
  said = ''
  const rig = { embedders: toEmbedders([lexicalEmbedder, embedder]), log: createLog({ level: 'silent', process: 'test' }), out, signal }
  return (await changeEmbeddings(db, tenant, wish, rig)).join('\n')
}
const at = async () => readSpaceChange(await db.tenant(tenant.id))

test('a model that the processes may not have is refused before anything is begun', async () => {
  await expect(run({ to: 'openai:unheard-of' })).rejects.toMatchObject({ code: 'embedder-missing', message: expect.stringMatching(/EMBEDDING_MODELS .* lexical:default, text-embedding-3-large\/1024, not openai:unheard-of.*every process/) })
  await expect(run({ to: embedder.space, cancel: true })).rejects.toMatchObject({ code: 'usage' })
  expect(await at()).toMatchObject({ active: 'test:vectors', next: null })
})

test('stopped, shown, gone on with, and shown again', async () => {
  const stop = new AbortController()
  stop.abort(new Error('interrupted'))
  await expect(run({ to: 'openai:text-embedding-3-large@http://gpu:8000/v1' }, stop.signal)).rejects.toThrow('interrupted')
  expect(await run({})).toBe(
    `acme is in the embedding space test:vectors\nchanging to ${embedder.space}: 0 of 3 chunks; the jobs process goes on with it, and so does npm run tenant -- embeddings acme --to ${embedder.space}`,
  )
  await exclusively(db, toSpaceKey(tenant.id), async () => expect(await run({ to: embedder.space })).toContain('another process is at the embeddings of acme'))
  expect(await run({ to: embedder.space })).toMatch(/^acme is in the embedding space text-embedding-3-large\/1024: 3 texts embedded, 0 had a vector/)
  expect(said).toContain('Every process of Nura must name it in EMBEDDING_MODELS')
  expect(said).toContain('Embeddings of acme: 3/3 chunks')
  expect(await run({})).toBe(`acme is in the embedding space ${embedder.space}`)
  expect(await run({ to: embedder.space })).toBe(`acme is in the embedding space ${embedder.space} already`)
})

test('a change is given up', async () => {
  expect(await run({ cancel: true })).toBe('no change of the embeddings of acme is under way')
  await startSpaceChange(await db.tenant(tenant.id), 'lexical:default')
  expect(await run({ cancel: true })).toContain('the change of acme to lexical:default is given up; what was made of it is cleared away')
  expect(await at()).toMatchObject({ active: embedder.space, next: null, stale: false })
})
