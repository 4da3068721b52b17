import { NuraError } from '#db/nura-error.ts'
import type { Metrics } from '../metrics.ts'
import { chainEmbedders } from './chain-embedders.ts'
import { toEmbedders } from './embedder.ts'
import type { EmbeddedKind, Embedder, Embedders } from './embedder.ts'
import { findEmbedderProvider, lackingEmbedderKeys } from './embedder-providers.ts'
import type { EmbedderSettings } from './embedder-providers.ts'
import { gateEmbedder } from './gate-embedder.ts'
import { createGate } from './gate.ts'
import type { GateOptions } from './gate.ts'
import { holdEmbedder } from './hold-embedder.ts'
import type { ModelName } from './index.ts'
import { lexicalEmbedder } from './lexical.ts'
import { measureEmbedder } from './measure-embedder.ts'

export type EmbeddersRig = {
  /** What `EMBEDDING_MODELS` names, first choice first. */
  chain: ModelName[]
  settings: EmbedderSettings
  log: GateOptions['log']
  metrics?: Pick<Metrics, 'embedding' | 'embeddedChunks'>
  deadlines?: Readonly<Record<EmbeddedKind, number>>
  gateTimes?: GateOptions['times']
}

/**
 * The embedders of a chain. The first name's space is the one that new tenants begin in. Names of the same space stand in for
 * each other, in their order; no model ever stands in for one of another space. The lexical embedder is always there, as it
 * needs nothing: what was indexed with it goes on working whatever is configured.
 * @throws NuraError `bad-model` when a model lacks a setting
 */
export function createEmbedders({ chain, settings, log, metrics, deadlines, gateTimes: times }: EmbeddersRig): Embedders {
  const [fault] = lackingEmbedderKeys(chain, settings)
  if (fault) throw new NuraError('bad-model', fault)
  const open = (name: ModelName): Embedder => {
    const model = findEmbedderProvider(name.provider).create?.(name, settings)
    if (!model) return lexicalEmbedder
    const wake = async (signal: AbortSignal) => void (await model.request(['Ready?'], 'query', signal))
    return gateEmbedder(holdEmbedder(model, deadlines), createGate(model.id, { log, times, wake }))
  }
  const bySpace = Map.groupBy([...chain.map(open), lexicalEmbedder], ({ space }) => space)
  // The lexical embedder is in its chain twice where it is named, and never fails.
  const [first, ...rest] = [...bySpace.values()].map((same) => chainEmbedders(same as [Embedder, ...Embedder[]])).map((embedder) => (metrics ? measureEmbedder(embedder, metrics) : embedder))
  return toEmbedders([first!, ...rest])
}
