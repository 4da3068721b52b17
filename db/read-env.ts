import { z } from 'zod'
import { NuraError } from './nura-error.ts'

/**
 * Reads environment keys against a table of zod schemas and reports every fault at once.
 *
 * An empty value counts as absent. Values never appear in the message: a faulty secret stays secret.
 * @throws NuraError `bad-environment`, one line a key, each with its fix (the schema's own message).
 */
export function readEnv<Shape extends z.ZodRawShape>(shape: Shape, env: NodeJS.ProcessEnv): z.output<z.ZodObject<Shape>> {
  const given = Object.fromEntries(Object.keys(shape).map((key) => [key, env[key]?.trim() || undefined]))
  const read = z.object(shape).safeParse(given)
  if (read.success) return read.data
  const faults = read.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`)
  throw new NuraError('bad-environment', `The environment is not usable:\n${faults.join('\n')}`)
}
