import { LangChainTracer } from '@langchain/core/tracers/tracer_langchain'
import type { Client } from 'langsmith'
import type { RunTree } from 'langsmith/run_trees'
import type { TenantDb } from '#db/index.ts'
import type { Logger } from '../../log.ts'
import type { ModelCall } from '../../models/chain.ts'
import { within } from '../../within.ts'
import type { LangsmithConfig } from './env.ts'
import type { GraphTracer } from './graph-tracer.ts'
import { openClient } from './open-client.ts'

export type Langsmith = {
  /** For one run of the graph. */
  tracerOf(tenant: Pick<TenantDb, 'id' | 'slug'>): GraphTracer
  /** Hands over what is left, as far as that takes no longer than two seconds. */
  close(): Promise<void>
}

/** Clients that are kept open; the tenant who asked longest ago loses its own first. */
const mostClients = 200
/** Longest that the last runs are waited for, milliseconds. */
const lastMs = 2_000

/** Sends runs of the graph to LangSmith: a client and a project for each tenant, `PROJECT-SLUG`, so that no two share either. */
export function openLangsmith(config: LangsmithConfig, { log }: { log: Pick<Logger, 'warn' | 'debug'> }): Langsmith {
  const clients = new Map<string, Client>()
  let isTold = false
  const onFault = (reason: string) => {
    log[isTold ? 'debug' : 'warn']({ reason }, 'LangSmith did not take what it was sent; nothing waits for it')
    isTold = true
  }

  function clientOf(tenantId: string): Client {
    const client = clients.get(tenantId) ?? openClient(config, onFault)
    clients.delete(tenantId)
    clients.set(tenantId, client)
    const [oldest] = clients.keys()
    if (clients.size > mostClients) clients.delete(oldest!)
    return client
  }

  return {
    tracerOf({ id, slug }) {
      const handler = new LangChainTracer({ client: clientOf(id), projectName: `${config.project}-${slug}`, replicas: [] })
      return {
        handler,
        record(runConfig, call, written) {
          const node = (runConfig.callbacks as { _parentRunId?: string } | undefined)?._parentRunId
          const run = node === undefined ? undefined : handler.getRunTreeWithTracingConfig(node)
          if (run) void toChild(run, call, written).postRun().catch(() => undefined)
        },
      }
    },
    async close() {
      const flushing = [...clients.values()].map((client) => client.flush().then(() => client.awaitPendingTraceBatches()))
      await within(Promise.allSettled(flushing), lastMs)
    },
  }
}

/** A call of a model as LangSmith shows one: name, times, tokens and what it wrote. What it read is in the run of its node. */
function toChild(node: RunTree, { model, ms, inputTokens, outputTokens, outcome }: ModelCall, written: string): RunTree {
  const [provider, name] = [model.slice(0, model.indexOf(':')), model.slice(model.indexOf(':') + 1)]
  const end = Date.now()
  const usage = { input_tokens: inputTokens, output_tokens: outputTokens, total_tokens: inputTokens + outputTokens }
  return node.createChild({
    name: `chat ${name}`, run_type: 'llm', inputs: {}, outputs: { text: written }, start_time: end - Math.round(ms), end_time: end,
    ...(outcome === 'answered' ? {} : { error: outcome }),
    metadata: { ls_provider: provider, ls_model_name: name, usage_metadata: usage, nura_outcome: outcome },
  })
}
