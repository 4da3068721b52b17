import { runEmbeddingOutage } from '#infra/testing/embedding-outage.ts'
import { Client } from 'pg'
import { withDatabase } from './open-database.ts'
import type { Result } from './report.ts'

/** Questions and pushes while the embedding model is away for so many minutes, on PostgreSQL and Redis. */
export function measureAway(minutes: number): Promise<Result[]> {
  return withDatabase(async ({ url, redisUrl }) => {
    const spaces: string[] = []
    const ms = minutes * 60_000
    const report = await runEmbeddingOutage({
      ms, questionEveryMs: Math.min(5_000, ms / 20), pushEveryMs: Math.min(20_000, ms / 6),
      faults: [{ kind: 'status', status: 503 }, { kind: 'hang' }, { kind: 'cut' }, { kind: 'status', status: 429, retryAfter: '5' }],
      env: { DATABASE_URL: url, REDIS_URL: redisUrl, NURA_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64') },
      inspect: async () => void spaces.push(...(await readSpaces(url))),
    })
    const line = (measure: string, nura: string, bound: string, holds: boolean): Result => ({ measure, nura, bound, holds })
    return [
      line(`questions while it is away, ${minutes} min`, `${report.answered} of ${report.questions} answered, ${report.saidLexical} say that they are lexical, slowest ${report.slowestMs} ms`, 'all', report.answered === report.questions && report.saidLexical === report.questions),
      line('spaces of all rows afterwards', spaces.join(', '), 'one', spaces.length === 1),
      line(`texts embedded after ${report.pushes} pushes`, `${report.embedded}, ${report.distinct} different, ${report.again} that had a vector before`, 'each once', report.embedded === report.distinct && report.again === 0),
      { measure: 'back until the last push is found', nura: `${report.recoveredS.toFixed(1)} s` },
      // A process rests from a model for a minute at most; the rest is the question that finds it back.
      line('back until answers say nothing of it', `${report.unsaidS.toFixed(1)} s`, '≤ 65 s', report.unsaidS <= 65),
    ]
  })
}

/** The embedding spaces of every tenant's rows, gone ones too. */
async function readSpaces(url: string): Promise<string[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ schema: string }>(`select schema_name as schema from nura.tenant`)
  const found = new Set<string>()
  for (const { schema } of rows) {
    const { rows: spaces } = await client.query<{ space: string }>(`select distinct embedding_model as space from ${schema}.knowledge_base`)
    for (const { space } of spaces) found.add(space)
  }
  await client.end()
  return [...found]
}
