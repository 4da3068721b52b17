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
  throw toBadEnvironment(faults)
}

/**
 * Runs several readers of the environment and reports the faults of all of them at once.
 * @throws NuraError `bad-environment`; any other error as it is
 */
export function readTogether<Readers extends Record<string, () => unknown>>(readers: Readers): { [Key in keyof Readers]: ReturnType<Readers[Key]> } {
  const faults: string[] = []
  const read = Object.entries(readers).map(([key, reader]) => {
    try {
      return [key, reader()]
    } catch (error) {
      if (!(error instanceof NuraError) || error.code !== 'bad-environment') throw error
      faults.push(...error.message.split('\n').slice(1))
      return [key, undefined]
    }
  })
  if (faults.length > 0) throw toBadEnvironment(faults)
  return Object.fromEntries(read)
}

/** @param faults one line each: `  KEY: what is wrong and how to mend it`. */
function toBadEnvironment(faults: string[]): NuraError {
  return new NuraError('bad-environment', `The environment is not usable:\n${[...new Set(faults)].join('\n')}`)
}
