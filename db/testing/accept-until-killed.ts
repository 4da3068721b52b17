import { openDb } from '../index.ts'
import { accept } from '../shared/inbox.ts'
import { createTenant, findTenant } from '../shared/tenants.ts'

/** A process for tests to kill: accepts events in the data folder it is given and says each that was accepted. */
const [dataDir, prefix] = process.argv.slice(2) as [string, string]
const db = await openDb({ url: null, dataDir, encryptionKey: null, poolSize: 1 })
const { id } = (await findTenant(db, 'killed')) ?? (await createTenant(db, { slug: 'killed', name: 'killed' }))
for (let at = 0; ; at++) {
  const eventKey = `${prefix}-${at}`
  await accept(db, { tenantId: id, surface: 'test', kind: 'message', eventKey, threadKey: 'one', payload: { at } })
  process.stdout.write(`${eventKey}\n`)
}
