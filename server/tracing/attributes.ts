import type { Attributes } from '@opentelemetry/api'

/**
 * THE list of what a span may tell: ids, names that are in the code or the configuration, outcomes, counts. Never what people or
 * sources say, never who they are. A key that is not here does not compile, and is dropped where it came all the same.
 */
export const allowed = [
  'nura.tenant', 'nura.inbox_id', 'nura.surface', 'nura.kind', 'nura.attempt', 'nura.agent', 'nura.outcome', 'nura.abstained',
  'nura.job', 'nura.job_id',
  'nura.views', 'nura.repositories', 'nura.passages', 'nura.strength', 'nura.hits', 'nura.citations', 'nura.model_calls', 'nura.pages', 'nura.page', 'nura.texts', 'nura.stored',
  'nura.files', 'nura.kept', 'nura.moved', 'nura.removed', 'nura.chunks', 'nura.embedded', 'nura.reused',
  'http.request.method', 'http.route', 'http.response.status_code',
  'gen_ai.operation.name', 'gen_ai.system', 'gen_ai.provider.name', 'gen_ai.request.model', 'gen_ai.request.max_tokens', 'gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens',
  'error.type',
] as const

export type SpanAttributes = { [Key in (typeof allowed)[number]]?: string | number | boolean | null | undefined }

const keys: ReadonlySet<string> = new Set(allowed)
/** Names and ids have no spaces; a sentence does not get through. */
const name = /^[\w.:/@+-]{1,200}$/

/** What of these attributes may leave the process. */
export function toAttributes(given: SpanAttributes): Attributes {
  const kept = Object.entries(given).filter(([key, value]) => keys.has(key) && (typeof value === 'string' ? name.test(value) : typeof value === 'number' ? Number.isFinite(value) : typeof value === 'boolean'))
  return Object.fromEntries(kept) as Attributes
}
