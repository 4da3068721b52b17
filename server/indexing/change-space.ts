import { setImmediate as nextTurn } from 'node:timers/promises'
import type { TenantDb } from '#db/index.ts'
import { readCorpus } from '#db/tenant/corpus.ts'
import { findEmbeddings } from '#db/tenant/embeddings.ts'
import { findNextVectors, findOldChunks, readSpaceChange, saveNextVectors } from '#db/tenant/next-space.ts'
import type { OldChunk } from '#db/tenant/next-space.ts'
import { buildNextIndexes, clearNextSpace, dropOtherIndexes, switchSpace } from '#db/tenant/switch-space.ts'
import type { Logger } from '../log.ts'
import { embedderMissing } from '../models/embedder-missing.ts'
import type { Embedder, EmbedderOf } from '../models/embedder.ts'
import { toChunkKey, toEmbeddedText } from './chunk.ts'

export type ChangeSpaceParts = { embedderOf: EmbedderOf; log: Logger }

/** `chunks`: `done` of `total` rows have a vector of the next space. */
export type ChangeProgress = { phase: 'chunks' | 'vector index'; done: number; total: number }
export type ChangeOptions = { onProgress?: (progress: ChangeProgress) => void; signal?: AbortSignal }

export type ChangeReport = {
  from: string | null
  to: string
  /** False when the change was given up, or replaced by another one, while it ran. */
  switched: boolean
  /** Texts that cost an embedding, and texts whose vector was there. */
  embedded: number
  reused: number
  ms: number
}

const batchChunks = 256
const first = { model: '', key: '' }

/**
 * Brings a tenant into the embedding space that `startSpaceChange` noted: makes its vectors beside those in use, builds their
 * index, switches at once, and clears the old ones away. Questions and syncs go on meanwhile, in the old space until the switch.
 *
 * May be cut off anywhere: the next call goes on where this one was. One call at a time for a tenant; see `toSpaceKey`.
 * @returns null when there was no change to make
 * @throws NuraError `embedder-missing`, what the embedder throws, `store-unavailable`; the signal's reason on abort
 */
export async function changeSpace({ embedderOf, log }: ChangeSpaceParts, tenant: TenantDb, options: ChangeOptions = {}): Promise<ChangeReport | null> {
  const { signal, onProgress } = options
  signal?.throwIfAborted()
  const started = performance.now()
  const { activeSpace: from, nextSpace: to, nextStale } = await readCorpus(tenant)
  if (to === null) {
    if (nextStale) await clearNextSpace(tenant, signal)
    return null
  }
  const embedder = embedderOf(to)
  if (embedder === null) throw embedderMissing(to)
  const report: ChangeReport = { from, to, switched: false, embedded: 0, reused: 0, ms: 0 }
  await dropOtherIndexes(tenant, to, signal)
  let outcome: Awaited<ReturnType<typeof switchSpace>> = 'missing'
  // What syncs write while an index is built or a switch waits is found missing then, and is little.
  while (outcome === 'missing') {
    if (!(await fill(embedder, tenant, report, options))) break
    onProgress?.({ phase: 'vector index', done: 0, total: 1 })
    signal?.throwIfAborted()
    await buildNextIndexes(tenant, to, signal)
    onProgress?.({ phase: 'vector index', done: 1, total: 1 })
    outcome = await switchSpace(tenant, to, signal)
  }
  report.switched = outcome === 'switched'
  report.ms = Math.round(performance.now() - started)
  log.info({ tenant: tenant.id, ...report }, report.switched ? 'embedding space changed' : 'change of embedding space given up')
  // Of the space that was left, or of the one that was given up.
  if ((await readCorpus(tenant)).nextStale) await clearNextSpace(tenant, signal)
  return report
}

/** Passes over the index until one finds nothing to do. @returns false when the tenant is no longer to change to this space */
async function fill(embedder: Embedder, tenant: TenantDb, report: ChangeReport, { signal, onProgress }: ChangeOptions): Promise<boolean> {
  let { done, total } = await readSpaceChange(tenant)
  onProgress?.({ phase: 'chunks', done, total })
  for (let isWhole = false; !isWhole; ) {
    isWhole = true
    for (let after: Pick<OldChunk, 'model' | 'key'> = first; ; ) {
      signal?.throwIfAborted()
      const chunks = await findOldChunks(tenant, embedder.space, after, batchChunks)
      const last = chunks.at(-1)
      if (last === undefined) break
      isWhole = false
      const rows = await saveNextVectors(tenant, embedder.space, await embedChunks(embedder, tenant, chunks, report, signal))
      if (rows === null) return false
      done += rows
      // Rows that syncs write are not counted, and rows that are gone need none and may get one.
      total = Math.max(total, done)
      onProgress?.({ phase: 'chunks', done, total })
      after = { model: last.model, key: last.key }
      // The embedded store and the lexical embedder answer without a turn of the event loop: questions wait for one.
      await nextTurn()
    }
  }
  return true
}

/** A vector of the new space for each chunk; the same text is embedded once, and not at all where the tenant has its vector. */
async function embedChunks(embedder: Embedder, tenant: TenantDb, chunks: OldChunk[], report: ChangeReport, signal?: AbortSignal) {
  const keyed = chunks.map((chunk) => {
    const text = toEmbeddedText(chunk)
    return { model: chunk.model, key: chunk.key, text, nextKey: toChunkKey(embedder.space, text) }
  })
  const texts = new Map(keyed.map(({ nextKey, text }) => [nextKey, text]))
  const vectors = new Map([...(await findEmbeddings(tenant, embedder.space, [...texts.keys()])), ...(await findNextVectors(tenant, embedder.space, keyed))])
  const missing = [...texts].filter(([key]) => !vectors.has(key))
  report.embedded += missing.length
  report.reused += texts.size - missing.length
  for (let start = 0; start < missing.length; start += embedder.maxBatch) {
    const batch = missing.slice(start, start + embedder.maxBatch)
    const made = await embedder.embed(batch.map(([, text]) => text), 'document', signal)
    batch.forEach(([key], index) => vectors.set(key, made[index]!))
  }
  return keyed.map(({ model, key, nextKey }) => ({ model, key, nextKey, vector: vectors.get(nextKey)! }))
}
