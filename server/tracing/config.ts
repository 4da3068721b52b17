import { z } from 'zod'
import { readEnv } from '#db/read-env.ts'

const address = z.url({ protocol: /^https?$/, error: 'must be the http(s) address of an OTLP receiver, such as http://collector:4318' }).optional()

/** Keys of tracing that are judged here. The SDK reads the rest of `OTEL_*` itself. */
export const tracingEnv = {
  OTEL_EXPORTER_OTLP_ENDPOINT: address,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: address,
  OTEL_EXPORTER_OTLP_PROTOCOL: z.literal('http/json', 'must be http/json, the one way that spans are sent; leave it unset').optional(),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: z.literal('http/json', 'must be http/json, the one way that spans are sent; leave it unset').optional(),
  OTEL_TRACES_EXPORTER: z.enum(['otlp', 'none'], 'must be otlp or none').optional(),
  OTEL_SDK_DISABLED: z.string().optional(),
  OTEL_TRACES_SAMPLER: z
    .enum(['always_on', 'always_off', 'traceidratio', 'parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'], 'must be always_on, always_off, traceidratio or one of them with parentbased_ before it')
    .optional(),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number('must be a share from 0 to 1').min(0, 'must be a share from 0 to 1').max(1, 'must be a share from 0 to 1').optional(),
}

export type TracingConfig = { /** Whether spans are made and sent. */ isOn: boolean }

/** @throws NuraError `bad-environment` */
export function readTracingConfig(env: NodeJS.ProcessEnv = process.env): TracingConfig {
  const read = readEnv(tracingEnv, env)
  const isWanted = read.OTEL_SDK_DISABLED?.toLowerCase() !== 'true' && read.OTEL_TRACES_EXPORTER !== 'none'
  return { isOn: isWanted && (read.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? read.OTEL_EXPORTER_OTLP_ENDPOINT) !== undefined }
}
