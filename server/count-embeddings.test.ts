import { expect, test } from 'vitest'
import type { TenantDb } from '#db/index.ts'
import { streamCounted, withCounted } from './count-embeddings.ts'
import { createMetrics } from './metrics.ts'
import { toEmbedders } from './models/embedder.ts'
import { lexicalEmbedder } from './models/lexical.ts'

const embedders = toEmbedders([
  {
    ...lexicalEmbedder,
    space: 'test/1024',
    async embed(texts, kind, signal, onCall) {
      onCall?.({ model: 'test:model', kind, outcome: 'answered', tokens: texts.length, estimated: false, costUsd: 0.5, ms: 1, failure: null })
      return lexicalEmbedder.embed(texts, kind, signal)
    },
  },
])

/** A tenant whose store notes what it is told to write, or is away. */
function open(isAway = false) {
  const written: unknown[][] = []
  const warned: unknown[] = []
  const tx = { execute: async (_: string, values: unknown[]) => void written.push(values) }
  const tenant = { id: 'tenant', transaction: (run: (given: typeof tx) => Promise<void>) => (isAway ? Promise.reject(new Error('away')) : run(tx)) } as unknown as TenantDb
  const metrics = createMetrics()
  return { written, warned, metrics, rig: { tenant, agent: 'indexing' as const, log: { warn: (told: unknown) => void warned.push(told) }, metrics } }
}

test('calls alike are one row, in the metrics each counts', async () => {
  const { written, metrics, rig } = open()
  await withCounted(embedders, rig, async ({ primary, of }) => {
    await primary.embed(['a', 'b'], 'document')
    await of('test/1024')!.embed(['c'], 'document')
  })
  expect(written).toHaveLength(1)
  expect(written[0]).toEqual(expect.arrayContaining([['indexing'], ['test'], ['test:model'], ['answered'], [3], [1]]))
  expect(await metrics.registry.metrics()).toContain('nura_model_cost_usd_total{agent="indexing",model="test:model"} 1')
})

test('a long run saves on its way, and one that fails saves what it cost', async () => {
  const { written, rig } = open()
  const run = withCounted(embedders, rig, async ({ primary }) => {
    for (let at = 0; at < 60; at++) await primary.embed(['a'], 'document')
    throw new Error('stopped')
  })
  await expect(run).rejects.toThrow('stopped')
  expect(written).toHaveLength(2)
})

test('what is read piece by piece is saved when its reader stops', async () => {
  const { written, rig } = open()
  async function* pieces({ primary }: typeof embedders) {
    for (;;) yield await primary.embed(['a'], 'query')
  }
  for await (const piece of streamCounted(embedders, rig, pieces)) if (piece.length > 0) break
  expect(written).toHaveLength(1)
})

test('a store that is away fails no run', async () => {
  const { warned, rig } = open(true)
  expect(await withCounted(embedders, rig, async ({ primary }) => (await primary.embed(['a'], 'document')).length)).toBe(1)
  expect(warned).toHaveLength(1)
})
