import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '..', '..')

/**
 * Installs packages, each of an exact version, into the folder `.nura/<name>` of the repository: for a program that asks for
 * what nothing else needs. What is there already is not installed again.
 * @returns the folder
 */
export async function installApart(name: string, packages: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(root, '.nura', name)
  const wanted = `${JSON.stringify({ private: true, dependencies: packages }, null, 2)}\n`
  const manifest = join(folder, 'package.json')
  // npm writes its lock into node_modules last: without it, an install was cut off.
  if (existsSync(join(folder, 'node_modules', '.package-lock.json')) && (await readFile(manifest, 'utf8')) === wanted) return folder
  await mkdir(folder, { recursive: true })
  await cp(join(root, '.npmrc'), join(folder, '.npmrc'))
  await writeFile(manifest, wanted)
  await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', '--loglevel', 'error'], { cwd: folder })
  return folder
}
