import { expect, test } from 'vitest'
import { createMetrics } from '../metrics.ts'
import { lexicalEmbedder } from './lexical.ts'
import { measureEmbedder } from './measure-embedder.ts'

test('counts chunks, not questions, and gives the same vectors', async () => {
  const metrics = createMetrics()
  const measured = measureEmbedder(lexicalEmbedder, metrics)
  expect(await measured.embed(['a b', 'c d'], 'document')).toEqual(await lexicalEmbedder.embed(['a b', 'c d'], 'document'))
  await measured.embed(['where?'], 'query')
  const told = await metrics.registry.metrics()
  expect(told).toContain('nura_embedded_chunks_total{model="lexical:default"} 2')
  expect(told).toContain('nura_embedding_seconds_count{model="lexical:default"} 2')
})

test('does not count what failed', async () => {
  const metrics = createMetrics()
  const measured = measureEmbedder({ ...lexicalEmbedder, embed: () => Promise.reject(new Error('away')) }, metrics)
  await expect(measured.embed(['a'], 'document')).rejects.toThrow('away')
  expect(await metrics.registry.metrics()).not.toMatch(/nura_embedded_chunks_total\{/)
})
