import { NuraError } from '#db/nura-error.ts'
import { createGate } from './gate.ts'
import type { GateOptions } from './gate.ts'
import { toChain, toId } from './index.ts'
import type { ModelName } from './index.ts'
import { modelAway } from './model-error.ts'
import type { Reranker } from './reranker.ts'
import { createTeiReranker } from './tei-reranker.ts'

/** Where rerankers come from. A new one is a file and a line here. */
const rerankerProviders: Readonly<Record<string, (name: ModelName) => Reranker>> = {
  tei: ({ model, baseUrl }) => createTeiReranker(model, baseUrl!),
}

/** Milliseconds that someone who asked waits for a better order. */
export const rerankMs = 400

/**
 * Reads a chain such as `tei:BAAI/bge-reranker-v2-m3@http://reranker:8080`, first choice first.
 * @throws NuraError `bad-model`
 */
export function toRerankerChain(text: string, field: string): ModelName[] {
  const chain = toChain(text, field, { providers: Object.keys(rerankerProviders), example: 'tei:BAAI/bge-reranker-v2-m3@http://reranker:8080' })
  for (const name of chain) {
    if (name.baseUrl === null) throw new NuraError('bad-model', `${field}: ${toId(name)} needs the address of its server: ${toId(name)}@http://…`, { field })
  }
  return chain
}

export type RerankerRig = { chain: ModelName[]; log: GateOptions['log']; deadlineMs?: number; gateTimes?: GateOptions['times'] }

/** The rerankers of a chain as one, each asked through a gate: the first that answers, all of them within one deadline. Null for an empty chain. */
export function createReranker({ chain, log, deadlineMs = rerankMs, gateTimes: times }: RerankerRig): Reranker | null {
  const list = chain.map((name) => {
    const bare = rerankerProviders[name.provider]!(name)
    return gateReranker(bare, createGate(bare.id, { log, times, wake: async (signal) => void (await bare.rerank('Ready?', ['Ready.'], signal)) }))
  })
  const [first] = list
  if (!first) return null
  return {
    id: first.id,
    maxTexts: Math.min(...list.map(({ maxTexts }) => maxTexts)),
    async rerank(query, texts, signal) {
      const late = new AbortController()
      const timer = setTimeout(() => late.abort(modelAway(first.id, `took longer than ${deadlineMs} ms`)), deadlineMs)
      const until = signal ? AbortSignal.any([signal, late.signal]) : late.signal
      try {
        return await firstThatAnswers(list, query, texts, until)
      } finally {
        clearTimeout(timer)
      }
    },
  }
}

async function firstThatAnswers(list: readonly Reranker[], query: string, texts: string[], until: AbortSignal): Promise<number[]> {
  let failure: unknown
  for (const reranker of list) {
    until.throwIfAborted()
    try {
      return await reranker.rerank(query, texts, until)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

function gateReranker(reranker: Reranker, gate: ReturnType<typeof createGate>): Reranker {
  return {
    ...reranker,
    async rerank(query, texts, signal) {
      const pass = gate.enter()
      try {
        const scores = await reranker.rerank(query, texts, signal)
        pass.succeed()
        return scores
      } catch (error) {
        // The deadline fires with an error of ours, a caller with its own.
        if (signal?.aborted && !(signal.reason instanceof NuraError && signal.reason.code === 'model-unavailable')) pass.abandon()
        else pass.fail(error)
        throw error
      }
    },
  }
}
