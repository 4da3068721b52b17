import { BaseCallbackHandler } from '@langchain/core/callbacks/base'
import type { LangGraphRunnableConfig } from '@langchain/langgraph'
import { RunTree } from 'langsmith/run_trees'
import type { ModelCall } from '../../models/chain.ts'

/** What hears of one run of the graph. */
export type GraphTracer = {
  /** Of LangChain's name for its own tracer, so that it makes no other. */
  readonly handler: BaseCallbackHandler
  /** Tells of a call that a node made, and what the model wrote; that is sent only where content is shown. */
  record(config: LangGraphRunnableConfig, call: ModelCall, written: string): void
}

/**
 * Tells nobody. LangChain looks into the environment by itself and, where it finds `LANGSMITH_TRACING=true` and no tracer, adds one
 * that sends everything, of all tenants, into one project. A run therefore always has a tracer.
 */
export function createSilentTracer(): GraphTracer {
  return { handler: new SilentHandler(), record: () => undefined }
}

class SilentHandler extends BaseCallbackHandler {
  name = 'langchain_tracer'

  #untraced: RunTree | undefined

  /** LangChain asks its tracer for this around each node: a run that is not traced, nor is anything below it. */
  getRunTreeWithTracingConfig(): RunTree {
    return (this.#untraced ??= new RunTree({ name: 'untraced', tracingEnabled: false }))
  }
}
