import { context, diag, DiagLogLevel, propagation, trace } from '@opentelemetry/api'
import type { SpanExporter } from '@opentelemetry/sdk-trace-node'
import manifest from '#package.json' with { type: 'json' }
import type { Logger } from '../log.ts'
import { within } from '../within.ts'
import type { TracingConfig } from './config.ts'
import { scope, switchTracing } from './span.ts'

/** Longest that the last spans are waited for, milliseconds. */
const lastMs = 2_000

export type Tracing = { /** Sends what is left, as far as that takes no longer than two seconds, and makes no spans any more. */ close(): Promise<void> }

/**
 * Sends the spans of this process to the collector that `OTEL_EXPORTER_OTLP_ENDPOINT` names; without one nothing is made or
 * sent. Nobody waits for the collector: at most 2,048 spans wait for it, and what does not fit is dropped.
 *
 * For a `main` alone: of a process there is one.
 * @param process the process's own name; `OTEL_SERVICE_NAME` goes before it
 */
export async function openTracing({ isOn }: TracingConfig, { process, log }: { process: string; log: Logger }): Promise<Tracing> {
  if (!isOn) return { close: async () => undefined }
  // Loaded only where spans are made.
  const [{ OTLPTraceExporter }, { detectResources, envDetector, resourceFromAttributes }, { BatchSpanProcessor, NodeTracerProvider }] = await Promise.all([
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace-node'),
  ])
  diag.setLogger(createDiagnostics(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  const resource = resourceFromAttributes({ 'service.name': `nura-${process}`, 'service.version': manifest.version }).merge(detectResources({ detectors: [envDetector] }))
  const provider = new NodeTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(ownSpansOnly(new OTLPTraceExporter()))] })
  // What comes in and goes out is written by `traceparent.ts`, after the caller was checked.
  provider.register({ propagator: null })
  switchTracing(true)
  return {
    async close() {
      switchTracing(false)
      await within(provider.shutdown().catch(() => undefined), lastMs)
      for (const api of [trace, context, propagation, diag]) api.disable()
    },
  }
}

/** A library may make spans of its own, with what it likes in them. */
function ownSpansOnly(exporter: SpanExporter): SpanExporter {
  return {
    export: (spans, done) => exporter.export(spans.filter(({ instrumentationScope }) => instrumentationScope.name === scope), done),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  }
}

/** A collector that is away is said once aloud; the rest is for those who look. */
function createDiagnostics(log: Logger) {
  let isTold = false
  const tell = (reason: string) => {
    log[isTold ? 'debug' : 'warn']({ reason: String(reason).slice(0, 300) }, 'spans could not be sent to the collector; nothing waits for them')
    isTold = true
  }
  return { error: tell, warn: tell, info: () => undefined, debug: () => undefined, verbose: () => undefined }
}
