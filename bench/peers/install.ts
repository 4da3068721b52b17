import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '..', '..')
const folder = join(root, '.nura', 'peers')
/** What is compared, exactly; `pgvector` is the version that LlamaIndex asks for. */
const packages = {
  '@langchain/community': '1.1.29',
  '@langchain/core': '1.4.0',
  '@llamaindex/postgres': '0.0.66',
  '@llamaindex/core': '0.6.23',
  '@llamaindex/env': '0.1.31',
  '@mastra/pg': '1.27.1',
  '@mastra/core': '1.71.0',
  pg: '8.23.1',
  pgvector: '0.2.0',
}

/** Installs the peers into a folder of their own: they are compared with, never depended on. */
export async function installPeers(): Promise<void> {
  const wanted = `${JSON.stringify({ private: true, dependencies: packages }, null, 2)}\n`
  const manifest = join(folder, 'package.json')
  // npm writes its lock into node_modules last: without it, an install was cut off.
  if (existsSync(join(folder, 'node_modules', '.package-lock.json')) && (await readFile(manifest, 'utf8')) === wanted) return
  await mkdir(folder, { recursive: true })
  await cp(join(root, '.npmrc'), join(folder, '.npmrc'))
  await writeFile(manifest, wanted)
  await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', '--loglevel', 'error'], { cwd: folder })
}

/** A module of the folder, by its path there; the caller says what it uses of it. */
export async function loadPeer<Module>(path: string): Promise<Module> {
  return (await import(pathToFileURL(join(folder, 'node_modules', path)).href)) as Module
}

/** The version that was installed. */
export const versionOf = (name: keyof typeof packages): string => packages[name]
