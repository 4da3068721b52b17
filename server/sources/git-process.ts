import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { NuraError } from '#db/nura-error.ts'
import { toGitEnvironment } from './config.ts'

/**
 * A repository's own configuration may name programs to run. Only plumbing is called, and what plumbing would run or
 * fetch is off; the folder was named by its operator, so it may belong to another user (a mounted volume).
 */
const guards = [
  'core.fsmonitor=false',
  'core.hooksPath=/dev/null',
  'core.attributesFile=/dev/null',
  'protocol.allow=never',
  'safe.directory=*',
].flatMap((setting) => ['-c', setting])

type Call = { dir: string; args: string[]; input?: Iterable<string | Buffer>; env?: NodeJS.ProcessEnv; signal?: AbortSignal }

/** Runs git without a shell and yields its output as it comes; a slow reader slows git down. */
export async function* streamGit({ dir, args, input = [], env, signal }: Call): AsyncGenerator<Buffer> {
  signal?.throwIfAborted()
  const child = spawn('git', ['-C', dir, ...guards, ...args], { env: { ...toGitEnvironment(), ...env }, signal })
  const ended = endOf(child)
  // A git that ends early breaks the pipe; its exit status says why.
  const fed = pipeline(Readable.from(input, { objectMode: true }), child.stdin).catch(() => undefined)
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(0, 4000)))
  try {
    for await (const bytes of child.stdout) yield bytes as Buffer
    await fed
    const { code, error } = await ended
    signal?.throwIfAborted()
    if (error) throw toStartError(error, dir)
    if (code !== 0) throw new GitFailure(args[0] ?? '', code, complaint)
  } finally {
    child.kill()
  }
}

/** Runs git to its end and returns its standard output. */
export async function runGit(call: Call): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const bytes of streamGit(call)) pieces.push(bytes)
  return Buffer.concat(pieces)
}

/** git ended with a status other than 0; `complaint` is its standard error. */
export class GitFailure extends Error {
  readonly complaint: string
  constructor(command: string, code: number | null, complaint: string) {
    super(`git ${command} ended with ${code}: ${complaint.trim()}`)
    this.name = 'GitFailure'
    this.complaint = complaint
  }
}

function endOf(child: ChildProcessWithoutNullStreams): Promise<{ code: number | null; error?: NodeJS.ErrnoException }> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, error }))
    child.once('close', (code) => resolve({ code }))
  })
}

function toStartError(error: NodeJS.ErrnoException, dir: string): Error {
  if (error.code !== 'ENOENT') return error
  return new NuraError('git-missing', `The program git could not be started for ${dir}. Install git and put it on the PATH.`, { cause: error })
}
