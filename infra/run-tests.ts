import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { openServers } from './testing/open-servers.ts'
import type { Servers } from './testing/open-servers.ts'
import { findServerPrograms } from './testing/server-programs.ts'

/**
 * `npm test`: the whole suite. What touches a store runs on PostgreSQL and Redis, and what is about the stores on embedded ones too;
 * without servers everything runs on embedded ones. The servers are those of DATABASE_URL and REDIS_URL, else private ones from
 * this machine's programs. Further arguments go to vitest.
 */
const root = join(import.meta.dirname, '..')
const folder = await mkdtemp(join(tmpdir(), 'nura-tests-'))
const report = join(folder, 'report.json')
let servers: Servers | undefined
let stopped: NodeJS.Signals | undefined

try {
  const stores = await findStores()
  console.log(stores.say)
  process.exitCode = await runVitest(stores.env)
  await printReport(process.exitCode)
} catch (cause) {
  console.error(`npm test: ${cause instanceof Error ? cause.message : String(cause)}`)
  process.exitCode = 1
} finally {
  await servers?.close()
  await rm(folder, { recursive: true, force: true })
}
if (stopped) process.exitCode = 128 + constants.signals[stopped]

async function findStores(): Promise<{ say: string; env: Record<string, string> }> {
  const { DATABASE_URL, REDIS_URL } = process.env
  if (DATABASE_URL && REDIS_URL) {
    return {
      say: 'Stores: PostgreSQL and Redis at DATABASE_URL and REDIS_URL; what is about the stores runs on embedded ones too.',
      env: { NURA_TEST_DATABASE_URL: DATABASE_URL, NURA_TEST_REDIS_URL: REDIS_URL },
    }
  }
  const programs = await findServerPrograms()
  if ('missing' in programs) {
    const how = 'install them, or set DATABASE_URL and REDIS_URL'
    return { say: `Stores: embedded. Skipped: the same on PostgreSQL and Redis, for want of ${programs.missing.join(' and ')}; ${how}.`, env: {} }
  }
  servers = await openServers(programs.found)
  return {
    say: 'Stores: private PostgreSQL and Redis of this machine; what is about the stores runs on embedded ones too.',
    env: { NURA_TEST_DATABASE_URL: servers.databaseUrl, NURA_TEST_REDIS_URL: servers.redisUrl },
  }
}

function runVitest(env: Record<string, string>): Promise<number> {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  // A Ctrl-C reaches vitest by itself; a signal sent to us alone is passed on. Either way we stay to clean up.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      stopped = signal
      child.kill('SIGTERM')
    })
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
}

type Report = {
  numPassedTests: number
  numFailedTests: number
  testResults: { name: string; status: string; assertionResults: { status: string; fullName: string }[] }[]
}

/** What ran in no project, by name, and the one line that says how it went. */
async function printReport(exitCode: number): Promise<void> {
  if (!existsSync(report)) return
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(await readFile(report, 'utf8')) as Report
  const tests = testResults.flatMap(({ name, assertionResults }) => assertionResults.map(({ status, fullName }) => ({ status, id: `${name} ${fullName}`, fullName })))
  const ran = new Set(tests.filter(({ status }) => status === 'passed' || status === 'failed').map(({ id }) => id))
  const skipped = new Map(tests.filter(({ id }) => !ran.has(id)).map(({ id, fullName }) => [id, fullName]))
  // A file that does not load has no tests to fail, and an error outside of any test fails none: neither may go unseen.
  const broken = testResults.filter(({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'))
  const failed = numFailedTests + broken.length
  for (const fullName of skipped.values()) console.log(`Skipped: ${fullName}`)
  for (const { name } of broken) console.log(`Failed as a whole: ${name}`)
  if (exitCode !== 0 && failed === 0) console.log('Failed outside of any test: see the errors above.')
  console.log(`${numPassedTests} passed, ${exitCode === 0 ? failed : Math.max(failed, 1)} failed, ${skipped.size} skipped`)
}
