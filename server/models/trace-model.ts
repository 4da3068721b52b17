import { inSpanStream } from '../tracing/span.ts'
import type { ChatEvent, ChatModel, ChatRequest } from './chat-model.ts'

/** One call of a model in a span, named and described as OpenTelemetry's conventions for generative AI ask; nothing of what is said. */
export function traceModel(model: ChatModel, request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent> {
  const [provider, name] = [model.id.slice(0, model.id.indexOf(':')), model.id.slice(model.id.indexOf(':') + 1)]
  const about = {
    'gen_ai.operation.name': 'chat', 'gen_ai.system': provider, 'gen_ai.provider.name': provider,
    'gen_ai.request.model': name, 'gen_ai.request.max_tokens': request.maxOutputTokens, 'nura.agent': request.agent,
  }
  return inSpanStream(`chat ${name}`, about, async function* (span) {
    let hasSpoken = false
    for await (const event of model.stream(request, signal)) {
      if (event.kind === 'usage') span.set({ 'gen_ai.usage.input_tokens': event.inputTokens, 'gen_ai.usage.output_tokens': event.outputTokens })
      else if (!hasSpoken) span.event('first token')
      hasSpoken = true
      yield event
    }
  }, { kind: 'client' })
}
