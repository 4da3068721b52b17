import { loadPeer, versionOf } from './install.ts'
import { toSet, watchStatements } from './peer.ts'
import type { Peer, Statement } from './peer.ts'

type Document = { pageContent: string; metadata: { key: string; group: string } }
type Store = {
  pool: { query(text: string): Promise<unknown> }
  addVectors(vectors: number[][], documents: Document[]): Promise<unknown>
  createHnswIndex(options: { dimensions: number; m: number; efConstruction: number; distanceFunction: string }): Promise<void>
  similaritySearchVectorWithScore(vector: number[], k: number, filter?: object): Promise<[Document, number][]>
  end(): Promise<void>
}
type Module = { PGVectorStore: { initialize(embeddings: object, config: object): Promise<Store> } }

export async function openLangchain(url: string): Promise<Peer> {
  const { PGVectorStore } = await loadPeer<Module>('@langchain/community/dist/vectorstores/pgvector.js')
  const store = await PGVectorStore.initialize({}, { postgresConnectionOptions: { connectionString: url }, tableName: 'langchain', dimensions: 1024, distanceStrategy: 'cosine' })
  let last: Statement | null = null
  watchStatements(store.pool, (statement) => (last = statement))
  return {
    name: `LangChain.js ${versionOf('@langchain/community')}`,
    index: 'built after the rows',
    write: async (rows) => void (await store.addVectors(rows.map(({ vector }) => vector), rows.map(({ id, text, group }) => ({ pageContent: text, metadata: { key: id, group } })))),
    endWrite: () => store.createHnswIndex({ dimensions: 1024, m: 16, efConstruction: 64, distanceFunction: 'cosine' }),
    // One search at a time goes over one connection.
    set: async (settings) => void (await store.pool.query(toSet(settings))),
    search: async (vector, limit, group) => (await store.similaritySearchVectorWithScore(vector, limit, group === null ? undefined : { group })).map(([{ metadata }]) => metadata.key),
    lastStatement: () => last,
    close: () => store.end(),
  }
}
