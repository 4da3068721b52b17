import type { TenantDb } from '#db/index.ts'
import { readCorpus } from '#db/tenant/corpus.ts'
import type { Logger } from './log.ts'

/** Says once a tenant that its index is in another embedding space than the one preferred, and how to change it. */
export function createOtherSpaceTeller(preferred: string, log: Pick<Logger, 'warn'>): (tenant: TenantDb) => Promise<void> {
  const told = new Set<string>()
  return async (tenant) => {
    if (told.has(tenant.id)) return
    const { activeSpace } = await readCorpus(tenant)
    if (activeSpace === null || activeSpace === preferred || told.has(tenant.id)) return
    told.add(tenant.id)
    const change = `npm run tenant -- embeddings NAME --to ${preferred}`
    log.warn({ tenant: tenant.id, space: activeSpace, preferred }, `the index of this tenant is in another embedding space than EMBEDDING_MODELS prefers, and stays in it; to change it: ${change}`)
  }
}
