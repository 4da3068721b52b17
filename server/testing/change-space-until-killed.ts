import { openDb } from '#db/index.ts'
import { startSpaceChange } from '#db/tenant/next-space.ts'
import { watchSql } from '#db/testing/watch-sql.ts'
import { changeSpace } from '../indexing/change-space.ts'
import { createLog } from '../log.ts'
import { toEmbedders } from '../models/embedder.ts'
import { createPermutedEmbedder } from './permuted-embedder.ts'

/**
 * A process for tests to let die: changes a tenant's space and kills itself as its statement number `dies` has been sent, so
 * that nobody knows whether that was carried out. When it lives to the end it says how many statements it took.
 */
const [url, tenantId, to, dies] = process.argv.slice(2) as [string, string, string, string]
const db = await openDb({ url, dataDir: 'memory://', encryptionKey: null, poolSize: 2 })
const tenant = await db.tenant(tenantId)
let statements = 0
watchSql(db, () => {
  if (++statements === Number(dies)) setImmediate(() => process.kill(process.pid, 'SIGKILL'))
})
await startSpaceChange(tenant, to)
const inSmallPieces = (space: string, shift: number) => ({ ...createPermutedEmbedder(space, shift), maxBatch: 3 })
const { of: embedderOf } = toEmbedders([inSmallPieces('test:old', 0), inSmallPieces('test:next', 7)])
await changeSpace({ embedderOf, log: createLog({ level: 'silent', process: 'test' }) }, tenant)
process.stdout.write(`${statements}\n`)
await db.close()
