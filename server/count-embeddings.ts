import type { TenantDb } from '#db/index.ts'
import { saveModelCalls } from '#db/tenant/usage.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { EmbeddingCall, Embedders } from './models/embedder.ts'

export type CountRig = {
  tenant: TenantDb
  /** Whose calls they are: those of documents, or those of questions. */
  agent: 'indexing' | 'search'
  log: Pick<Logger, 'warn'>
  metrics?: Pick<Metrics, 'modelCalls' | 'modelCost'> | undefined
}

/** Calls that are held before they are saved. */
const mostHeld = 50

/** Lets a tenant's run use embedders whose calls are counted: in the metrics at once, in the tenant's usage in the end, of calls alike in one row. */
export async function withCounted<T>(embedders: Embedders, { tenant, agent, log, metrics }: CountRig, run: (counted: Embedders) => Promise<T>): Promise<T> {
  const count = openCount({ tenant, agent, log, metrics })
  try {
    return await run(countEmbedders(embedders, count.onCall))
  } finally {
    await count.save()
  }
}

/** The same for a run that gives its result piece by piece. */
export async function* streamCounted<T>(embedders: Embedders, rig: CountRig, run: (counted: Embedders) => AsyncIterable<T>): AsyncGenerator<T> {
  const count = openCount(rig)
  try {
    yield* run(countEmbedders(embedders, count.onCall))
  } finally {
    await count.save()
  }
}

function countEmbedders({ primary, spaces, of }: Embedders, onCall: (call: EmbeddingCall) => void): Embedders {
  return { primary: of(primary.space, onCall) ?? primary, spaces, of: (space) => of(space, onCall) }
}

function openCount({ tenant, agent, log, metrics }: CountRig) {
  let held: EmbeddingCall[] = []
  let saving: Promise<void> = Promise.resolve()

  function save(): Promise<void> {
    const calls = sumAlike(held)
    held = []
    if (calls.length === 0) return saving
    const rows = calls.map(({ model, outcome, tokens, costUsd, estimated, ms }) => ({
      answerId: null, agent, provider: toProvider(model), model, outcome, inputTokens: tokens, outputTokens: 0, costUsd, estimated, milliseconds: ms,
    }))
    saving = saving.then(() => saveModelCalls(tenant, rows)).catch((error: unknown) => log.warn({ err: error, tenant: tenant.id }, 'calls of embedding models are not in the usage of their tenant'))
    return saving
  }

  return {
    save,
    onCall(call: EmbeddingCall) {
      const { model, outcome, costUsd, failure } = call
      metrics?.modelCalls.inc({ provider: toProvider(model), model, outcome })
      metrics?.modelCost.inc({ agent, model }, costUsd)
      if (failure !== null) log.warn({ model, failure }, 'an embedding model failed')
      held.push(call)
      if (held.length >= mostHeld) void save()
    },
  }
}

function sumAlike(calls: EmbeddingCall[]): EmbeddingCall[] {
  const alike = Map.groupBy(calls, ({ model, outcome, estimated }) => `${model} ${outcome} ${estimated}`)
  return [...alike.values()].map((same) =>
    same.reduce((sum, call) => ({ ...sum, tokens: sum.tokens + call.tokens, costUsd: sum.costUsd + call.costUsd, ms: sum.ms + call.ms })),
  )
}

function toProvider(model: string): string {
  return model.split(':')[0]!
}
