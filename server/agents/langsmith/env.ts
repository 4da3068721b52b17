import { z } from 'zod'

/** Environment keys of LangSmith, for `readEnv`. Other keys of its SDK have no effect here. */
export const langsmithEnv = {
  LANGSMITH_TRACING: z.enum(['true', 'false'], 'must be true or false').optional(),
  LANGSMITH_API_KEY: z.string().optional(),
  LANGSMITH_ENDPOINT: z.url({ protocol: /^https?$/, error: 'must be the http(s) address of LangSmith, such as https://api.smith.langchain.com' }).default('https://api.smith.langchain.com'),
  LANGSMITH_PROJECT: z.string().regex(/^[\w.-]{1,60}$/, 'must be at most 60 letters, digits, dots, hyphens and underscores; the tenant is put after it').default('nura'),
  NURA_LANGSMITH_CONTENT: z.enum(['show', 'hide'], 'must be "show" or "hide"').default('hide'),
}

export type LangsmithEnv = z.output<z.ZodObject<typeof langsmithEnv>>

export type LangsmithConfig = {
  endpoint: string
  apiKey: string
  /** What the projects' names begin with; each tenant has one of its own. */
  project: string
  /** Whether questions, passages and answers are sent, and not only that and how long each step ran. */
  showsContent: boolean
}

/** Null when LangSmith is not switched on. */
export function toLangsmithConfig(env: LangsmithEnv): LangsmithConfig | null {
  if (env.LANGSMITH_TRACING !== 'true' || env.LANGSMITH_API_KEY === undefined) return null
  return { endpoint: env.LANGSMITH_ENDPOINT, apiKey: env.LANGSMITH_API_KEY, project: env.LANGSMITH_PROJECT, showsContent: env.NURA_LANGSMITH_CONTENT === 'show' }
}

/** What is wrong with the keys together; null when nothing is. */
export function langsmithFault(env: LangsmithEnv): string | null {
  return env.LANGSMITH_TRACING === 'true' && env.LANGSMITH_API_KEY === undefined ? 'LANGSMITH_API_KEY: is required because LANGSMITH_TRACING is true; set it, or leave LANGSMITH_TRACING unset' : null
}
