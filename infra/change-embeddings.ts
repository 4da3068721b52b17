import type { Db } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { exclusively } from '#db/shared/exclusive.ts'
import type { Tenant } from '#db/shared/tenants.ts'
import { cancelSpaceChange, readSpaceChange, startSpaceChange } from '#db/tenant/next-space.ts'
import { changeSpace } from '#server/indexing/change-space.ts'
import type { ChangeReport } from '#server/indexing/change-space.ts'
import { toSpaceKey } from '#server/indexing/space-key.ts'
import { withCounted } from '#server/count-embeddings.ts'
import type { Logger } from '#server/log.ts'
import type { Embedders } from '#server/models/embedder.ts'
import { toEmbedderChain } from '#server/models/embedder-providers.ts'
import { findEmbeddingFacts } from '#server/models/embedding-facts.ts'
import type { ModelName } from '#server/models/index.ts'
import { createProgress } from './progress.ts'

export type EmbeddingsRig = { embedders: Embedders; log: Logger; out: NodeJS.WriteStream; signal: AbortSignal }

/**
 * `npm run tenant -- embeddings`: shows the tenant's embedding space, changes it to that of a model, or gives a change up.
 * @returns lines for the operator
 * @throws NuraError `usage`, `embedder-missing`, what the embedder throws; the signal's reason on abort
 */
export async function changeEmbeddings(db: Db, tenant: Tenant, wish: { to?: string | undefined; cancel?: boolean | undefined }, rig: EmbeddingsRig): Promise<string[]> {
  if (wish.to !== undefined && wish.cancel) throw new NuraError('usage', 'a change is begun with --to or given up with --cancel, not both')
  if (wish.to !== undefined) return begin(db, tenant, toKnownSpace(wish.to, rig.embedders.spaces), rig)
  return wish.cancel ? cancel(db, tenant, rig) : show(db, tenant)
}

async function show(db: Db, { id, slug }: Tenant): Promise<string[]> {
  const { active, next, stale, done, total } = await readSpaceChange(await db.tenant(id))
  return [
    `${slug} is in the embedding space ${active ?? 'of the first repository that is indexed'}`,
    ...(next === null ? [] : [`changing to ${next}: ${done} of ${total} chunks; the jobs process goes on with it, and so does npm run tenant -- embeddings ${slug} --to ${next}`]),
    ...(stale ? ['vectors of another space are still to be cleared away; the jobs process does it'] : []),
  ]
}

async function begin(db: Db, tenant: Tenant, target: string, rig: EmbeddingsRig): Promise<string[]> {
  const { slug } = tenant
  if (!(await startSpaceChange(await db.tenant(tenant.id), target))) {
    await work(db, tenant, rig)
    return [`${slug} is in the embedding space ${target} already`]
  }
  rig.out.write(`${slug} changes to ${target}. Every process of Nura must name it in EMBEDDING_MODELS by now: questions are embedded by it from the switch on.\n`)
  const report = await work(db, tenant, rig)
  if (report === 'busy') return [`another process is at the embeddings of ${slug}; the change to ${target} goes on there, or in the jobs process after it. See how far: npm run tenant -- embeddings ${slug}`]
  if (!report?.switched) return [`the change of ${slug} to ${target} was given up or replaced while it ran`]
  return [`${slug} is in the embedding space ${target}: ${report.embedded} texts embedded, ${report.reused} had a vector, ${(report.ms / 1000).toFixed(1)} s`]
}

async function cancel(db: Db, tenant: Tenant, rig: EmbeddingsRig): Promise<string[]> {
  const given = await cancelSpaceChange(await db.tenant(tenant.id))
  if (given === null) return [`no change of the embeddings of ${tenant.slug} is under way`]
  const report = await work(db, tenant, rig)
  return [`the change of ${tenant.slug} to ${given} is given up; ${report === 'busy' ? 'the process that is at it stops and clears away what it has made' : 'what was made of it is cleared away'}`]
}

/** Does what the tenant's rows say is to be done; `busy` when another process is at it. */
async function work(db: Db, { id, slug }: Tenant, { embedders, log, out, signal }: EmbeddingsRig): Promise<ChangeReport | 'busy' | null> {
  const progress = createProgress(`Embeddings of ${slug}`, out)
  let report: ChangeReport | null = null
  const ran = await exclusively(db, toSpaceKey(id), async () => {
    const of = await db.tenant(id)
    report = await withCounted(embedders, { tenant: of, agent: 'indexing', log }, (counted) => changeSpace({ embedderOf: counted.of, log }, of, { signal, onProgress: progress.show }))
  }).finally(progress.finish)
  return ran ? report : 'busy'
}

/** A space is named by itself or as in EMBEDDING_MODELS, `provider:model[@baseUrl]`. */
function toKnownSpace(name: string, spaces: readonly string[]): string {
  const found = spaces.includes(name) ? name : spaceOf(name)
  if (spaces.includes(found)) return found
  throw new NuraError(
    'embedder-missing',
    `EMBEDDING_MODELS of this environment names ${spaces.join(', ')}, not ${name}. Add it behind the model in use, here and for every process of Nura (server, bot, jobs), start them again, and repeat this: whoever lacks it after the switch searches without vectors.`,
    { field: 'EMBEDDING_MODELS' },
  )
}

/** The space of a model; its address does not matter. */
function spaceOf(name: string): string {
  const [{ provider, model }] = toEmbedderChain(name, '--to') as [ModelName]
  return provider === 'lexical' ? name : findEmbeddingFacts(model).space
}
