import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

/** What is asked at the moment of a scrape. A source that fails leaves its gauge as it was. */
export type MetricSources = {
  queueDepth?: () => Promise<Record<string, number>>
  turnsWithoutOutcome?: () => Promise<number>
}

export type Metrics = ReturnType<typeof createMetrics>

const seconds = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60]

/** Nura's metrics on a registry of their own. Label values come from closed sets: never from a tenant, a user or a text. */
export function createMetrics(sources: MetricSources = {}, options: { process?: boolean } = {}) {
  const registry = new Registry()
  const registers = [registry]
  if (options.process) collectDefaultMetrics({ register: registry })
  const indexing = new Map<symbol, number>()
  const readFailures = new Counter({ name: 'nura_metric_read_failures_total', help: 'Gauges that could not be read.', labelNames: ['metric'], registers })

  gauge('nura_turns_without_outcome', 'Accepted turns older than a minute that nobody has answered; must be 0.', [], async (set) => {
    if (sources.turnsWithoutOutcome) set({}, await sources.turnsWithoutOutcome())
  })
  gauge('nura_index_lag_seconds', 'How long the oldest sync that is still running has been behind its source.', [], async (set) => {
    set({}, indexing.size === 0 ? 0 : (performance.now() - Math.min(...indexing.values())) / 1000)
  })
  gauge('nura_queue_depth', 'Jobs waiting, delayed or running.', ['job'], async (set) => {
    for (const [job, depth] of Object.entries((await sources.queueDepth?.()) ?? {})) set({ job }, depth)
  })

  function gauge(name: string, help: string, labelNames: string[], read: (set: (labels: Record<string, string>, value: number) => void) => Promise<void>) {
    const made: Gauge<string> = new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect: () => read((labels, value) => made.set(labels, value)).catch(() => readFailures.inc({ metric: name })),
    })
  }

  return {
    registry,
    /** Marks a sync as running until the function it returns is called. */
    indexing: {
      start(): () => void {
        const id = Symbol('sync')
        indexing.set(id, performance.now())
        return () => void indexing.delete(id)
      },
    },
    turns: new Counter({ name: 'nura_turns_total', help: 'Turns by how they ended.', labelNames: ['surface', 'agent', 'outcome'], registers }),
    firstEvent: new Histogram({ name: 'nura_first_event_seconds', help: 'Question to first visible event.', buckets: seconds, registers }),
    answer: new Histogram({ name: 'nura_answer_seconds', help: 'Question to whole answer.', buckets: seconds, registers }),
    retrieval: new Histogram({ name: 'nura_retrieval_seconds', help: 'Time of one retrieval leg.', labelNames: ['leg'], buckets: seconds, registers }),
    embedding: new Histogram({ name: 'nura_embedding_seconds', help: 'Time of one embedding call.', labelNames: ['model'], buckets: seconds, registers }),
    embeddedChunks: new Counter({ name: 'nura_embedded_chunks_total', help: 'Chunks that cost an embedding.', labelNames: ['model'], registers }),
    modelCalls: new Counter({ name: 'nura_model_calls_total', help: 'Calls of chat models and of embedding models.', labelNames: ['provider', 'model', 'outcome'], registers }),
    modelCost: new Counter({ name: 'nura_model_cost_usd_total', help: 'Cost of chat models and of embedding models.', labelNames: ['agent', 'model'], registers }),
    cache: new Counter({ name: 'nura_cache_total', help: 'Look-ups by what for and how they went; a failed write is an error.', labelNames: ['cache', 'outcome'], registers }),
    rateLimited: new Counter({ name: 'nura_rate_limited_total', help: 'Questions refused because too many were asked.', labelNames: ['limit'], registers }),
    requests: new Histogram({ name: 'nura_http_seconds', help: 'HTTP requests by route.', labelNames: ['route', 'status'], buckets: seconds, registers }),
    jobs: new Counter({ name: 'nura_jobs_total', help: 'Runs of jobs: done, gone (with their tenant), retried, dead, stalled or forged.', labelNames: ['job', 'outcome'], registers }),
    jobSeconds: new Histogram({ name: 'nura_job_seconds', help: 'Time of one run.', labelNames: ['job'], buckets: [...seconds, 300, 1800], registers }),
  }
}
