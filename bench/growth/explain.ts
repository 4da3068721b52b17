import type { Client } from 'pg'
import { toVectorQuery } from '#db/tenant/search.ts'
import type { TenantDb } from '#db/index.ts'
import { clusteredEmbedders } from '../clustered-embedder.ts'

/** How the vector leg reaches its rows, in the planner's words: `Index Scan using knowledge_base_hnsw_…`. */
export async function explainVector(raw: Client, tenant: TenantDb): Promise<string> {
  const { space, embed } = clusteredEmbedders.primary
  const [vector] = await embed(['any'], 'query')
  const { text, values, settings } = toVectorQuery(tenant, { space, vector: vector!, limit: 60, repositoryIds: [] }, 'all')
  await raw.query('begin')
  try {
    for (const [name, value] of Object.entries({ ...settings, search_path: `${tenant.schema},extensions`, random_page_cost: 1.1 })) await raw.query('select set_config($1, $2, true)', [name, String(value)])
    const { rows } = await raw.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values)
    const line = rows.map((row) => row['QUERY PLAN']).find((each) => / Scan .* on knowledge_base\b/.test(each)) ?? 'no scan'
    return line.replace(/\(cost.*/, '').replace('->', '').trim()
  } finally {
    await raw.query('rollback')
  }
}
