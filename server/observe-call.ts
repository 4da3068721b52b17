import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { ModelCall } from './models/chain.ts'

export type ObserveParts = { metrics?: Pick<Metrics, 'modelCalls' | 'modelCost'> | undefined; log?: Pick<Logger, 'warn'> | undefined }

/** Tells the metrics of one call of a chat model, and the log why it failed. */
export function observeCall({ metrics, log }: ObserveParts, agent: string, { model, outcome, costUsd, failure }: ModelCall, trace?: string): void {
  if (failure !== null) log?.warn({ ...(trace && { trace }), model, failure }, 'a model failed')
  metrics?.modelCalls.inc({ provider: model.split(':')[0]!, model, outcome })
  metrics?.modelCost.inc({ agent, model }, costUsd)
}
