import { loadPeer, versionOf } from './install.ts'
import { toSet, watchStatements } from './peer.ts'
import type { Peer, Statement } from './peer.ts'

type Store = {
  pool: { query(text: string): Promise<unknown>; on(event: 'connect', hear: (client: { query: unknown }) => void): void }
  createIndex(options: object): Promise<void>
  upsert(options: object): Promise<unknown>
  query(options: object): Promise<{ id: string }[]>
  disconnect(): Promise<void>
}
type Module = { PgVector: new (config: object) => Store }

export async function openMastra(url: string): Promise<Peer> {
  const { PgVector } = await loadPeer<Module>('@mastra/pg/dist/index.js')
  const store = new PgVector({ id: 'bench', connectionString: url })
  let last: Statement | null = null
  store.pool.on('connect', (client) => watchStatements(client, (statement) => (last = statement)))
  const indexName = 'mastra'
  let ef = 40
  await store.createIndex({ indexName, dimension: 1024, metric: 'cosine', indexConfig: { type: 'hnsw', hnsw: { m: 16, efConstruction: 64 } } })
  return {
    name: `Mastra ${versionOf('@mastra/pg')}`,
    index: 'live',
    write: async (rows) => void (await store.upsert({ indexName, vectors: rows.map(({ vector }) => vector), ids: rows.map(({ id }) => id), metadata: rows.map(({ text, group }) => ({ text, group })) })),
    endWrite: async () => {},
    async set(settings) {
      // It sets this one itself, with each search.
      ef = Number(settings['hnsw.ef_search'])
      await store.pool.query(toSet(settings))
    },
    search: async (vector, limit, group) => (await store.query({ indexName, queryVector: vector, topK: limit, ef, filter: group === null ? undefined : { group } })).map(({ id }) => id),
    lastStatement: () => last,
    close: () => store.disconnect(),
  }
}
