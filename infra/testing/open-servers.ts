import { execFile, spawn } from 'node:child_process'
import { chown, mkdir, mkdtemp, readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { freePort } from './free-port.ts'
import type { ServerPrograms } from './server-programs.ts'

const run = promisify(execFile)

/** A PostgreSQL and a Redis of one's own, on free loopback ports, in a folder that goes with them. */
export type Servers = { databaseUrl: string; redisUrl: string; postgres: KeptServer; redis: KeptServer; close(): Promise<void> }

/** A server that may be stopped, killed and started again, on the same port with the same data. */
export type KeptServer = {
  /** Sends it a signal; after SIGKILL, resolves when it is gone. */
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): Promise<void>
  /** Starts it again, as often as it takes, and resolves when it answers. */
  start(): Promise<void>
}

/**
 * Starts both servers and answers when they take connections. They are for tests: nothing is flushed to disk.
 *
 * With `survivesKill` they keep what they have said to keep when their process is killed: the kernel has it by then. A
 * machine that goes down still takes it along.
 *
 * `postgresSettings` go before those that fit a test.
 *
 * They end with `close`, and also when this process ends in any way, `kill -9` included: each runs under a shell that
 * waits on a pipe from here, and whose end of the pipe closes with us.
 */
export async function openServers(programs: ServerPrograms, { survivesKill = false, postgresSettings = {} }: { survivesKill?: boolean; postgresSettings?: Record<string, string> } = {}): Promise<Servers> {
  const folder = await mkdtemp(join(tmpdir(), 'nura-servers-'))
  const owner = await ordinaryUser()
  const [postgresPort, redisPort] = [await freePort(), await freePort()]
  const postgres = join(folder, 'postgres')
  const redis = join(folder, 'redis')
  for (const path of [folder, postgres, redis]) {
    await mkdir(path, { recursive: true })
    if (owner) await chown(path, owner.uid, owner.gid)
  }

  const started: Kept[] = []
  const close = async () => {
    await Promise.all(started.map((server) => server.stop()))
    await run('rm', ['-rf', folder])
  }
  try {
    const keep = (name: string, command: string[], answers: () => Promise<boolean>) => {
      const server = keepRunning(command, { log: join(folder, `${name}.log`), folder, owner, answers })
      started.push(server)
      return server
    }
    const redisServer = keep('redis', [
      programs.redis, '--port', String(redisPort), '--bind', '127.0.0.1', '--dir', redis, '--save', '', '--appendonly', survivesKill ? 'yes' : 'no',
      '--maxmemory-policy', 'noeviction',
    ], () => answersPing(redisPort))
    await run(
      join(programs.postgresFolder, 'initdb'),
      ['--pgdata', postgres, '--username', 'nura', '--auth', 'trust', '--encoding', 'UTF8', '--locale', 'C.UTF-8', '--no-sync'],
      { cwd: folder, ...owner },
    )
    const databaseUrl = `postgresql://nura@127.0.0.1:${postgresPort}/postgres`
    const settings = { ...testSettings, ...postgresSettings, ...(survivesKill && { synchronous_commit: 'on', full_page_writes: 'on' }) }
    const postgresServer = keep('postgres', [
      join(programs.postgresFolder, 'postgres'), '-D', postgres, '-p', String(postgresPort),
      ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
    ], () => answersSql(databaseUrl))
    await Promise.all([postgresServer.start(), redisServer.start()])
    return { databaseUrl, redisUrl: `redis://127.0.0.1:${redisPort}`, postgres: postgresServer, redis: redisServer, close }
  } catch (cause) {
    await close()
    throw cause
  }
}

const testSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '256MB',
  maintenance_work_mem: '256MB',
  // pgvector before 0.8.2 overruns a buffer in parallel HNSW builds.
  max_parallel_maintenance_workers: '0',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
}

type Owner = { uid: number; gid: number }
type Kept = KeptServer & { stop(): Promise<void> }

/** PostgreSQL refuses to run as root; then both servers belong to a user without rights. */
async function ordinaryUser(): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  const user = lines.find(([name]) => name === 'postgres') ?? lines.find(([name]) => name === 'nobody')
  if (!user) throw new Error('PostgreSQL refuses to run as root, and there is neither a user "postgres" nor "nobody" to run it as.')
  return { uid: Number(user[2]), gid: Number(user[3]) }
}

/** Starts the server for each line that it reads, says when one ends, and ends the last one with its folder when we end. */
const keeper = `
while read -r _; do
  ( "$@" >>"$0" 2>&1 </dev/null & echo $! >"$0.pid"; echo "started $!"; wait $!; echo ended ) &
done
server=$(cat "$0.pid"); kill -CONT $server 2>/dev/null; kill -INT $server 2>/dev/null; wait; rm -rf "$NURA_SERVERS"`

/** Runs a server in a session of its own (a Ctrl-C meant for us does not reach it) until `stop` or our end. */
function keepRunning(command: string[], { log, folder, owner, answers }: { log: string; folder: string; owner: Owner | undefined; answers: () => Promise<boolean> }): Kept {
  const child = spawn('sh', ['-c', keeper, log, ...command], {
    cwd: '/', detached: true, stdio: ['pipe', 'pipe', 'ignore'], env: { PATH: '/usr/bin:/bin', NURA_SERVERS: folder, LANG: 'C.UTF-8' }, ...owner,
  })
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  let pid: number | null = null
  createInterface(child.stdout!).on('line', (line) => void (pid = line === 'ended' ? null : Number(line.split(' ')[1])))

  /** One start, which fails while what a killed one has left behind is still there. */
  async function tryStart(): Promise<boolean> {
    child.stdin!.write('\n')
    for (let tries = 0; pid === null && tries < 50; tries++) await sleep(10)
    for (let tries = 0; pid !== null && tries < 300; tries++) {
      if (await answers()) return true
      await sleep(100)
    }
    return false
  }

  return {
    async signal(signal) {
      if (pid === null) return
      process.kill(pid, signal)
      while (signal === 'SIGKILL' && pid !== null) await sleep(10)
    },
    async start() {
      for (let tries = 0; tries < 30; tries++) {
        if (await tryStart()) return
        if (pid !== null) break
        await sleep(200)
      }
      const written = await readFile(log, 'utf8').catch(() => '')
      throw new Error(`A private server did not start within 30 s. The end of its log:\n${written.slice(-2000)}`)
    },
    async stop() {
      child.stdin!.end()
      await closed
    },
  }
}

async function answersSql(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1000 })
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('data', (data) => end(data.toString().startsWith('+PONG')))
    socket.once('error', () => end(false))
  })
}
