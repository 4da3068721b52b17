import { defineEntity, p, type InferEntity } from '@mikro-orm/core'
import { VectorType } from 'pgvector/mikro-orm'

/**
 * A chunk of a file, as far as it is read one by one. Bulk writes and searches go by bound SQL (`write-files.ts`,
 * `search.ts`), which also keeps the columns of lexical search, `lex` and `sparse`.
 */
export const StoredChunk = defineEntity({
  name: 'StoredChunk',
  tableName: 'knowledge_base',
  schema: '*',
  properties: {
    id: p.uuid().primary(),
    content: p.text(),
    contentType: p.text().$type<'code' | 'documentation' | 'business'>(),
    sourcePath: p.text(),
    repositoryId: p.uuid(),
    /** Loaded on demand: it is most of the row. */
    embedding: p.type(VectorType).$type<number[]>().length(1024).lazy(),
    metadata: p.json<Record<string, unknown>>(),
    embeddingModel: p.text(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
    /** Null once the chunk is gone. */
    fileId: p.uuid().nullable(),
    chunkKey: p.text(),
    ordinal: p.integer(),
    startLine: p.integer(),
    endLine: p.integer(),
    scope: p.array().$type<string[]>(),
    tokenLength: p.integer(),
    goneAt: p.datetime().nullable(),
  },
})
export type StoredChunk = InferEntity<typeof StoredChunk>
