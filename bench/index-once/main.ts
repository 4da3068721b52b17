import { openDb } from '#db/index.ts'
import { createTenant } from '#db/shared/tenants.ts'
import { indexRepository } from '../ingest.ts'

/** Indexes one repository and prints this process's memory in MB: at its height, and after a collection, all of it and what is live in it. */
const [dir, url, slug] = process.argv.slice(2) as [string, string, string]
const db = await openDb({ url, dataDir: 'memory://', encryptionKey: null, poolSize: 4 })
const { id } = await createTenant(db, { slug, name: slug })
await indexRepository(await db.tenant(id), dir)
globalThis.gc?.()
globalThis.gc?.()
const toMb = (bytes: number) => Math.round(bytes / 1024 / 1024)
const { heapUsed, external } = process.memoryUsage()
const live = heapUsed + external
console.log(JSON.stringify({ peak: toMb(process.resourceUsage().maxRSS * 1024), after: toMb(process.memoryUsage.rss()), live: toMb(live) }))
await db.close()
