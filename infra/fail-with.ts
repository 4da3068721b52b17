import { NuraError } from '#db/nura-error.ts'
import { toExitCode } from '#server/errors.ts'

/** Says on one line what is wrong and what to do, never a stack. @returns the exit code of a command that ends so. */
export function failWith(error: unknown, out: { write(text: string): unknown }): 1 | 2 {
  const line = error instanceof NuraError ? error.message : `Nura failed: ${error instanceof Error ? error.message : String(error)}. Set LOG_LEVEL=debug for more, and report it.`
  out.write(`error: ${line}\n`)
  return toExitCode(error)
}
