import { measureChunkGrowth } from './growth/chunk-growth.ts'
import { measureTenantGrowth } from './growth/tenant-growth.ts'
import type { Result } from './report.ts'

/** What more chunks and more tenants do to the cost of a search, of a push and of a first indexing, and to the room they take. */
export async function measureGrowth(options: { most: number; tenants: number; repo: string | null }): Promise<Result[]> {
  return [...(await measureChunkGrowth(options)), ...(await measureTenantGrowth(options))]
}
