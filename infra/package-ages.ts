import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { toTable } from './to-table.ts'

/**
 * `npm run package-ages`: asks the registry when each version of the lock file was published, and names those that are younger than a
 * week: most poisoned releases are found and withdrawn within days. Exit 1 when there are any. To be run when versions change;
 * npm's own `min-release-age` would also refuse to install a lock file that was written yesterday.
 */
const youngestDays = 7
const atOnce = 16

type Lock = { packages: Record<string, { version?: string }> }
const lock = JSON.parse(await readFile(join(import.meta.dirname, '..', 'package-lock.json'), 'utf8')) as Lock
const wanted = new Map<string, Set<string>>()
for (const [path, { version }] of Object.entries(lock.packages)) {
  const name = path.split('node_modules/').at(-1)
  if (name && version) wanted.set(name, (wanted.get(name) ?? new Set()).add(version))
}

const { stdout } = await promisify(execFile)('npm', ['config', 'get', 'registry'])
const registry = stdout.trim().replace(/\/?$/, '/')
const young: string[][] = []
const unknown: string[] = []
const names = [...wanted.keys()]
await Promise.all(Array.from({ length: atOnce }, async () => {
  for (let name = names.pop(); name; name = names.pop()) await ask(name)
}))

const count = [...wanted.values()].reduce((sum, versions) => sum + versions.size, 0)
console.log(`${count} versions of ${wanted.size} packages; ${young.length} younger than ${youngestDays} days, of ${unknown.length} the registry does not say.`)
if (young.length > 0) console.log(toTable(['package', 'version', 'published'], young.toSorted()).join('\n'))
if (unknown.length > 0) console.log(`Not told: ${unknown.toSorted().join(', ')}`)
if (young.length + unknown.length > 0) process.exitCode = 1

async function ask(name: string): Promise<void> {
  const response = await fetch(registry + name.replace('/', '%2f')).catch(() => null)
  const told = response?.ok ? ((await response.json()) as { time?: Record<string, string> }).time : undefined
  for (const version of wanted.get(name)!) {
    const published = told?.[version]
    if (!published) unknown.push(`${name}@${version}`)
    else if (Date.now() - Date.parse(published) < youngestDays * 86_400_000) young.push([name, version, published.slice(0, 10)])
  }
}
