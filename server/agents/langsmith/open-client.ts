import { Client } from 'langsmith'
import type { ClientConfig } from 'langsmith'
import type { LangsmithConfig } from './env.ts'

/** Longest that LangSmith may take for one request, milliseconds. */
const requestMs = 5_000
/** Most bytes that wait for LangSmith, for one tenant. */
const mostBytes = 4 * 1024 * 1024

type Create = Parameters<Client['createRun']>[0]
type Update = Parameters<Client['updateRun']>[1]

/** What is told of a run when its content is hidden: its place in the trace, its name and its times. Everything else stays here. */
const told = ['id', 'trace_id', 'dotted_order', 'parent_run_id', 'name', 'run_type', 'start_time', 'end_time', 'session_name', 'project_name'] as const
/** What is told of what we noted ourselves; see `record`. */
const toldMetadata = ['ls_provider', 'ls_model_name', 'usage_metadata', 'nura_outcome']

/**
 * A client of LangSmith's for one tenant. It hands runs over in the background, tries each request once, and drops what LangSmith
 * does not take: nobody waits for it.
 * @param onFault hears why something was dropped
 */
export function openClient({ endpoint, apiKey, showsContent }: LangsmithConfig, onFault: (reason: string) => void): Client {
  const config: ClientConfig = {
    apiUrl: endpoint, apiKey, tracingMode: 'langsmith', omitTracedRuntimeInfo: true, disablePromptCache: true,
    // Said here, each of these is not looked for in the environment.
    hideInputs: !showsContent, hideOutputs: !showsContent, hideMetadata: false, tracingSamplingRate: 1,
    timeout_ms: requestMs, maxIngestMemoryBytes: mostBytes, callerOptions: { maxRetries: 0 },
    fetchImplementation: createFetch(onFault),
  }
  return showsContent ? new Client(config) : new HidingClient(config)
}

/** Lets a list of fields through, so that a field that LangChain adds tomorrow stays here too. */
class HidingClient extends Client {
  override createRun(run: Create): Promise<void> {
    return super.createRun({ ...hide(run), inputs: {}, outputs: {} } as unknown as Create)
  }

  override updateRun(id: string, run: Update): Promise<void> {
    return super.updateRun(id, { ...hide(run), outputs: {} } as Update)
  }
}

function hide(run: object): object {
  const fields = run as Record<string, unknown> & { extra?: { metadata?: Record<string, unknown> } }
  const metadata = fields.extra?.metadata ?? {}
  return {
    ...pick(fields, told),
    ...(fields.error ? { error: 'failed' } : {}),
    extra: { metadata: pick(metadata, toldMetadata) },
  }
}

function pick(from: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]]))
}

/** Nothing that goes wrong with a request gets further: the client would write it to the console, where logs are JSON. */
function createFetch(onFault: (reason: string) => void): typeof fetch {
  return async (input, init) => {
    try {
      const response = await fetch(input, { ...init, redirect: 'error', signal: AbortSignal.timeout(requestMs) })
      if (response.ok) return response
      await response.body?.cancel()
      onFault(`HTTP ${response.status}`)
    } catch (error) {
      onFault(error instanceof Error ? error.name : 'unknown')
    }
    return Response.json({})
  }
}
