import { realpath } from 'node:fs/promises'
import { runGit } from './git-process.ts'

/** The top folder of the checkout that `dir` is in, links resolved; `dir` itself when it is in none. */
export async function findGitRoot(dir: string, signal?: AbortSignal): Promise<string> {
  const root = await runGit({ dir, args: ['rev-parse', '--show-toplevel'], signal }).catch(() => null)
  return root?.toString('utf8').trim() || (await realpath(dir).catch(() => dir))
}
