import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { TenantDb } from '#db/index.ts'
import { readCorpus } from '#db/tenant/corpus.ts'
import { addRepository } from '#db/tenant/repositories.ts'
import { readTestServer } from '#db/testing/config.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { createLog } from '../log.ts'
import { toEmbedders } from '../models/embedder.ts'
import { runLegs } from '../retrieval/legs.ts'
import { toQuery } from '../retrieval/query.ts'
import { createGitSource } from '../sources/git.ts'
import { createRepository } from '../testing/create-repository.ts'
import { createPermutedEmbedder } from '../testing/permuted-embedder.ts'
import { indexSource } from './index-changes.ts'

const kills = 8
const words = ['harbour', 'lantern', 'meadow', 'quarry', 'saddle', 'thimble', 'walnut', 'zephyr']
const files = Object.fromEntries(words.map((word) => [`src/${word}.ts`, `/** Turns ${word} around. */\nexport function ${word}(input: string): string {\n  return input + '${word}'\n}\n`]))
const embedders = toEmbedders([createPermutedEmbedder('test:old', 0), createPermutedEmbedder('test:next', 7)])

/** Each live chunk with the space and the vector that searches go by. */
const vectors = (tenant: TenantDb) =>
  tenant.transaction((tx) => tx.query(`select source_path, ordinal, embedding_model, md5(embedding::text) as vector from knowledge_base where gone_at is null order by source_path, ordinal`))

test.skipIf(readTestServer() === null)('F16: killed at each of 8 steps of a change of the embedding model, readers meet the old index whole or the new one whole, and the next run ends it', async () => {
  const db = await openTestDb()
  await using git = await createRepository(files)
  try {
    const tenant = await createTestTenant(db)
    const { id } = await addRepository(tenant, { name: 'acme/shop', source: 'git', location: git.dir })
    await indexSource({ embedders, log: createLog({ level: 'silent', process: 'test' }) }, tenant, { id }, createGitSource(git.dir))
    const change = (to: string, dies: number) => runChange(db.config.url!, tenant.id, to, dies)

    const whole: Record<string, unknown[]> = { 'test:old': await vectors(tenant) }
    const steps = Number(await change('test:next', 0))
    whole['test:next'] = await vectors(tenant)
    expect(whole['test:next']).not.toEqual(whole['test:old'])

    let there = 'test:old'
    const met = { 'test:old': 0, 'test:next': 0 }
    for (let kill = 0; kill < kills; kill++) {
      let ended = false
      const dying = change(there, 1 + Math.round((kill * (steps - 1)) / (kills - 1))).finally(() => (ended = true))
      // Readers ask all the while, and each is answered in full by the space that is in force then.
      while (!ended) {
        const found = await runLegs(tenant, embedders.of, toQuery('what turns walnut around', []), [id])
        expect(found).toMatchObject({ vectorFault: null })
        expect(found.vector).toHaveLength(words.length)
      }
      await dying
      const { activeSpace } = await readCorpus(tenant)
      met[activeSpace as keyof typeof met]++
      expect(await vectors(tenant)).toEqual(whole[activeSpace as keyof typeof met])
      if (activeSpace !== there) continue
      // It came as far as the switch: the way back is killed from here on.
      await change(there, 0)
      there = there === 'test:old' ? 'test:next' : 'test:old'
    }
    await change(there, 0)
    expect(await vectors(tenant)).toEqual(whole[there])
    expect(await readCorpus(tenant)).toMatchObject({ activeSpace: there, nextSpace: null })
    expect(met['test:old'] + met['test:next']).toBe(kills)
  } finally {
    await db.close()
  }
}, 300_000)

/** @param dies the statement that is its last; 0 for none. @returns what it said */
function runChange(url: string, tenantId: string, to: string, dies: number): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [join(import.meta.dirname, '../testing/change-space-until-killed.ts'), url, tenantId, to, String(dies)], (error, stdout, stderr) => {
      if (error && error.signal !== 'SIGKILL') reject(new Error(stderr))
      else resolve(stdout)
    })
  })
}
