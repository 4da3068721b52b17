import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import { lastWords } from './last-words.ts'

const root = join(import.meta.dirname, '..', '..')
/** Where `npm start` keeps what it has compiled: a process that finds it there starts in half of the processor's time. */
const compiled = join(root, 'node_modules', '.cache', 'nura')

/** A process of Nura as an operator starts it. */
export type NuraProcess = {
  readonly url: string
  readonly pid: number
  /** What it has written so far, both streams. */
  output(): string
  /** Stops it as a frozen machine would, and lets it go on. */
  pause(): void
  resume(): void
  /** Sends the signal and resolves with how it ended: an exit code, or the signal's name. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>
  /** Resolves when it has ended, by whatever hand. */
  readonly ended: Promise<number | NodeJS.Signals>
}

/**
 * Starts a script of the repository with exactly this environment, on a port of its own unless it names one, and resolves when `/readyz` says
 * that it may take traffic. What was not ended is killed when this process exits.
 * @param how.node options of Node, such as `--max-old-space-size=160`
 * @param how.files most files and sockets that it may have open at once
 */
export async function startProcess(script: string, env: Record<string, string>, how: { node?: string[]; files?: number } = {}): Promise<NuraProcess> {
  const port = env.PORT ?? String(await freePort())
  const command = [process.execPath, ...(how.node ?? []), join(root, script)]
  const [program = '', ...args] = how.files === undefined ? command : ['prlimit', `--nofile=${how.files}`, ...command]
  const child = spawn(program, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: '/nonexistent', LANG: 'C.UTF-8', NO_COLOR: '1', PORT: port, NODE_COMPILE_CACHE: compiled, ...env },
  })
  const written: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => void written.push(data.toString()))
  const output = () => written.join('')
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('close', (code, signal) => {
      process.off('exit', kill)
      resolve(code ?? signal ?? 'SIGKILL')
    })
  })
  const url = `http://127.0.0.1:${port}`
  const nura: NuraProcess = {
    url,
    pid: child.pid!,
    output,
    ended,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async end(signal) {
      child.kill(signal)
      return ended
    },
  }
  await Promise.race([
    untilReady(url),
    ended.then((how) => {
      throw new Error(`${script} ended with ${how} before it was ready:\n${output()}`)
    }),
  ]).catch(async (cause: unknown) => {
    await nura.end('SIGKILL')
    throw new Error(`${script} did not become ready:\n${lastWords(output())}`, { cause })
  })
  return nura
}

async function untilReady(url: string): Promise<void> {
  for (let tries = 0; tries < 900; tries++) {
    const ready = await fetch(`${url}/readyz`).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) return
    await sleep(100)
  }
  throw new Error('no 200 from /readyz within 90 s')
}
