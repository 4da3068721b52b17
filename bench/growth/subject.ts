import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Db, TenantDb } from '#db/index.ts'
import { searchBm25, searchVector } from '#db/tenant/search.ts'
import { toQuery } from '#server/retrieval/query.ts'
import { search } from '#server/retrieval/search.ts'
import type { TestRepository } from '#server/testing/create-repository.ts'
import { clusteredEmbedders } from '../clustered-embedder.ts'
import { syncRepository } from '../ingest.ts'

/** A tenant with one indexed repository, and the work that is measured on it. */
export type Subject = {
  tenant: TenantDb
  repositoryId: string
  /** By the name of something that it defines, and by what is said of something. */
  questions: Record<'named' | 'worded', string[]>
  hybrid(question: string): Promise<unknown>
  vector(question: string): Promise<unknown>
  lexical(question: string): Promise<unknown>
  /** Commits a change of one file. */
  change(round: number): Promise<void>
  /** Indexes what was committed, over connections of another `Db` where one is given. */
  push(to?: TenantDb): Promise<unknown>
}

const asked = 50
/** As many as `runLegs` asks for. */
const limits = { vector: 60, lexical: 100 }
const { space } = clusteredEmbedders.primary

export async function openSubject(db: Db, tenant: TenantDb, repository: TestRepository): Promise<Subject> {
  const [[{ id: repositoryId }], questions, path] = await Promise.all([
    tenant.transaction((tx) => tx.query<{ id: string }>('select id from repository')) as Promise<[{ id: string }]>,
    drawQuestions(tenant),
    drawPath(tenant),
  ])
  const repositoryIds = [repositoryId]
  return {
    tenant,
    repositoryId,
    questions,
    hybrid: (question) => search({ db, embedders: clusteredEmbedders }, tenant, { question, audience: { kind: 'tenant' } }),
    async vector(question) {
      const [vector] = await clusteredEmbedders.primary.embed([question], 'query')
      return searchVector(tenant, { space, vector: vector!, limit: limits.vector, repositoryIds })
    },
    lexical: (question) => searchBm25(tenant, { tokens: toQuery(question).tokens, limit: limits.lexical, repositoryIds }),
    async change(round) {
      const text = await readFile(join(repository.dir, path), 'utf8')
      await repository.write({ [path]: `${text}\n// changed in round ${round}: reviewed by revision${round}\n` })
      await repository.git('commit', '--quiet', '--message', 'Change', '--', path)
    },
    push: (to = tenant) => syncRepository(to, { id: repositoryId }, repository.dir, clusteredEmbedders),
  }
}

/** Drawn by a hash of the name: the same in every run, and from all over the tree. */
async function drawQuestions(tenant: TenantDb): Promise<Subject['questions']> {
  const rows = await tenant.transaction((tx) =>
    tx.query<{ name: string; doc: string }>(
      `select name, doc from symbol join file on file.id = file_id where kind <> 'heading' and length(doc) > 20 order by md5(name || path) limit $1`,
      [asked],
    ),
  )
  return { named: rows.map(({ name }) => `Where is \`${name}\` defined?`), worded: rows.map(({ doc }) => doc.replace(/\s+/g, ' ').slice(0, 160)) }
}

async function drawPath(tenant: TenantDb): Promise<string> {
  const rows = await tenant.transaction((tx) => tx.query<{ path: string }>(`select path from file where language is not null and skip_reason is null order by md5(path) limit 1`))
  return rows[0]!.path
}
