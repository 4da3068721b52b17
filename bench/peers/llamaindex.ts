import { Client } from 'pg'
import { loadPeer, versionOf } from './install.ts'
import { toSet, watchStatements } from './peer.ts'
import type { Peer, Row, Statement } from './peer.ts'

type Store = {
  client(): Promise<{ query(text: string): Promise<unknown>; close(): Promise<void> }>
  add(nodes: object[]): Promise<unknown>
  query(query: object): Promise<{ nodes: { metadata: { key: string } }[] }>
}
type Module = { PGVectorStore: new (config: object) => Store }
type Schema = { TextNode: new (node: object) => object }

export async function openLlamaindex(url: string): Promise<Peer> {
  const [{ PGVectorStore }, { TextNode }] = await Promise.all([
    loadPeer<Module>('@llamaindex/postgres/dist/index.js'),
    loadPeer<Schema>('@llamaindex/core/schema/dist/index.js'),
  ])
  // Vectors come with the rows, but it will not begin without a model.
  const config = { clientConfig: { connectionString: url }, tableName: 'llamaindex', dimensions: 1024, embeddingModel: {} }
  const setup = await new PGVectorStore(config).client()
  await setup.close()
  // Its schema is checked once: else four more statements go before each search.
  const store = new PGVectorStore({ ...config, performSetup: false })
  let last: Statement | null = null
  const client = await store.client()
  watchStatements(client, (statement) => (last = statement))
  const toNode = ({ id, text, vector, group }: Row) => new TextNode({ id_: id, text, embedding: vector, metadata: { key: id, group } })
  return {
    name: `LlamaIndex.TS ${versionOf('@llamaindex/postgres')}`,
    index: 'built after the rows',
    write: async (rows) => void (await store.add(rows.map(toNode))),
    endWrite: () => buildIndex(url),
    set: async (settings) => void (await client.query(toSet(settings))),
    search: async (vector, limit, group) => {
      const filters = group === null ? undefined : { filters: [{ key: 'group', value: group, operator: '==' }] }
      const { nodes } = await store.query({ queryEmbedding: vector, similarityTopK: limit, mode: 'default', filters })
      return nodes.map(({ metadata }) => metadata.key)
    },
    lastStatement: () => last,
    close: () => client.close(),
  }
}

/** It makes no index of vectors itself; its users write this by hand. */
async function buildIndex(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query('create index on llamaindex using hnsw (embeddings vector_cosine_ops) with (m = 16, ef_construction = 64)')
  await client.end()
}
