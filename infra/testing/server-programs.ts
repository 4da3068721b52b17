import { execFile } from 'node:child_process'
import { access, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Where this machine has the programs of a private PostgreSQL with pgvector, and of a private Redis. */
export type ServerPrograms = { postgresFolder: string; redis: string }

/** Looks for the programs; `missing` says in words what is not there. */
export async function findServerPrograms(): Promise<{ found: ServerPrograms } | { missing: string[] }> {
  const [postgresFolders, redis] = await Promise.all([postgresCandidates(), onPath('redis-server')])
  const withVector = await firstThat(postgresFolders, hasVector)
  const missing: string[] = []
  if (postgresFolders.length === 0) missing.push('PostgreSQL (initdb, postgres)')
  else if (!withVector) missing.push('pgvector for PostgreSQL')
  if (!redis) missing.push('Redis (redis-server)')
  return withVector && redis ? { found: { postgresFolder: withVector, redis } } : { missing }
}

/** Program folders, newest version first: Debian keeps one a version, elsewhere `pg_config` on the PATH names it. */
async function postgresCandidates(): Promise<string[]> {
  const debian = '/usr/lib/postgresql'
  const versions = await readdir(debian).catch(() => [])
  const folders = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(debian, version, 'bin'))
  const config = await onPath('pg_config')
  if (config) folders.push(dirname(config))
  const complete = await Promise.all(folders.map((folder) => exists(join(folder, 'initdb'), join(folder, 'postgres'))))
  return folders.filter((_, index) => complete[index])
}

async function hasVector(folder: string): Promise<boolean> {
  const share = await run(join(folder, 'pg_config'), ['--sharedir']).catch(() => undefined)
  return share !== undefined && exists(join(share.stdout.trim(), 'extension', 'vector.control'))
}

async function onPath(program: string): Promise<string | undefined> {
  const found = await run('sh', ['-c', 'command -v "$1"', 'sh', program]).catch(() => undefined)
  return found?.stdout.trim() || undefined
}

async function exists(...paths: string[]): Promise<boolean> {
  return Promise.all(paths.map((path) => access(path))).then(
    () => true,
    () => false,
  )
}

async function firstThat<T>(candidates: T[], test: (candidate: T) => Promise<boolean>): Promise<T | undefined> {
  for (const candidate of candidates) if (await test(candidate)) return candidate
  return undefined
}
