import type { LangGraphRunnableConfig } from '@langchain/langgraph'
import type { SpanAttributes } from '../tracing/attributes.ts'
import { inSpan } from '../tracing/span.ts'
import type { keepTrace } from '../tracing/traceparent.ts'

type Node<State, Update> = (state: State, config: LangGraphRunnableConfig) => Update | Promise<Update>

/**
 * A node in a span of its own, below the span that runs the graph. LangGraph's loop need not keep that one, so `configurable.keep`
 * brings it along; see `keepTrace`.
 * @param toAttributes what of the node's result its span tells
 */
export function traced<State, Update>(name: string, node: Node<State, Update>, toAttributes: (update: Update) => SpanAttributes) {
  return (state: State, config: LangGraphRunnableConfig): Promise<Update> => {
    const keep = config.configurable!.keep as ReturnType<typeof keepTrace>
    return keep(() =>
      inSpan(`node ${name}`, {}, async (span) => {
        const update = await node(state, config)
        span.set(toAttributes(update))
        return update
      }),
    )
  }
}
