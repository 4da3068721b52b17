import { spawn } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { installApart } from '../testing/install-apart.ts'
import { openServers } from '../testing/open-servers.ts'
import type { Servers } from '../testing/open-servers.ts'
import { findServerPrograms } from '../testing/server-programs.ts'
import { toTable } from '../to-table.ts'
import { modules } from './modules.ts'
import type { GuardedModule } from './modules.ts'

/**
 * `npm run mutants [-- NAME…]`: mutation testing of the modules that keep things apart. It makes hundreds of small changes, one at a
 * time, and counts those that no test notices. Exit 1 when a module has less than the least score.
 *
 * Stryker is installed into a folder of its own: nothing else needs its hundred packages. The folder lies inside the repository, so
 * that its runner finds the vitest that everybody uses.
 */
const leastScore = 80
const stryker = { '@stryker-mutator/core': '10.1.1', '@stryker-mutator/vitest-runner': '10.1.1' }
const root = join(import.meta.dirname, '..', '..')

const names = process.argv.slice(2)
const unknown = names.find((name) => !modules.some((module) => module.name === name))
if (unknown !== undefined) {
  console.error(`There is no module "${unknown}". Usage: npm run mutants -- [${modules.map(({ name }) => name).join('|')}]…`)
  process.exit(2)
}
const folder = await installApart('mutants', stryker)
const program = join(folder, 'node_modules', '@stryker-mutator', 'core', 'bin', 'stryker.js')
const rows: string[][] = []
for (const module of modules.filter(({ name }) => names.length === 0 || names.includes(name))) rows.push(...(await attackOnStores(module)))
console.log(toTable(['module', 'file', 'mutants', 'noticed', 'survived', 'score'], rows, ['mutants', 'noticed', 'survived', 'score']).join('\n'))

type Report = { files: Record<string, { mutants: { status: string; mutatorName: string; replacement?: string; location: { start: { line: number } } }[] }> }

async function attackOnStores(module: GuardedModule): Promise<string[][]> {
  if (!module.needsServers) return attack(module, { NURA_TEST_STORES: 'embedded' })
  const servers = await openPrivateServers(module.name)
  try {
    return await attack(module, { NURA_TEST_STORES: 'servers', NURA_TEST_DATABASE_URL: servers.databaseUrl, NURA_TEST_REDIS_URL: servers.redisUrl })
  } finally {
    await servers.close()
  }
}

async function openPrivateServers(name: string): Promise<Servers> {
  const programs = await findServerPrograms()
  if ('missing' in programs) throw new Error(`The tests of "${name}" run on private servers: install ${programs.missing.join(' and ')}.`)
  return openServers(programs.found)
}

async function attack({ name, mutate, tests, remembers, tables }: GuardedModule, env: Record<string, string>): Promise<string[][]> {
  const report = join(folder, `${name}.json`)
  await rm(report, { force: true })
  // Tests of other modules need not hear of each change.
  const vitest = `import { defineConfig } from 'vitest/config'
export default defineConfig({ test: { include: ${JSON.stringify(tests)}, env: ${JSON.stringify(env)}, testTimeout: 30_000, hookTimeout: 60_000, expect: { poll: { timeout: 20_000 } } } })
`
  await writeFile(join(folder, 'vitest.config.ts'), vitest)
  const config = {
    testRunner: 'vitest',
    plugins: [join(folder, 'node_modules', '@stryker-mutator', 'vitest-runner', 'dist', 'src', 'index.js')],
    vitest: { configFile: join('.nura', 'mutants', 'vitest.config.ts'), related: false },
    mutate,
    coverageAnalysis: remembers ? 'all' : 'perTest',
    // What only runs once at import is told by types and by every other test, where it is no table of what the module does.
    ignoreStatic: !remembers && !tables,
    concurrency: 1,
    reporters: ['json', 'progress-append-only'],
    jsonReporter: { fileName: report },
    tempDirName: join('.nura', 'mutants', 'tmp'),
    ignorePatterns: ['/.git', '/.nura/mutants/node_modules'],
    // It would read our configuration of TypeScript with an API that TypeScript 7 has not.
    tsconfigFile: 'none.json',
    disableTypeChecks: false,
  }
  const path = join(folder, `${name}.config.json`)
  await writeFile(path, JSON.stringify(config))
  await run(process.execPath, [program, 'run', path], root)
  const { files } = JSON.parse(await readFile(report, 'utf8')) as Report
  return Object.entries(files).map(([file, { mutants }]) => {
    const of = (...statuses: string[]) => mutants.filter(({ status }) => statuses.includes(status))
    const noticed = of('Killed', 'Timeout').length
    const survivors = of('Survived', 'NoCoverage')
    const score = (100 * noticed) / Math.max(1, noticed + survivors.length)
    if (score < leastScore) process.exitCode = 1
    for (const { location, replacement } of survivors) console.log(`${file}:${location.start.line} may be: ${(replacement ?? 'nothing').replace(/\s+/g, ' ').slice(0, 140)}`)
    return [name, file, String(noticed + survivors.length), String(noticed), String(survivors.length), score.toFixed(1)]
  })
}

function run(command: string, args: string[], cwd: string): Promise<void> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}.`))))
  })
}
