import { writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { useTestServer } from '#db/testing/config.ts'
import { useTestRedis } from '#jobs/testing/config.ts'
import { openServers } from '../testing/open-servers.ts'
import { findServerPrograms } from '../testing/server-programs.ts'
import { toTable } from '../to-table.ts'
import type { Figure } from './attack.ts'
import { attacks } from './index.ts'

/**
 * `npm run attack`: tries to break what `docs/guarantees.md` promises, and says what it counted. Exit 1 when something broke.
 * Nura runs on a private PostgreSQL and Redis where this machine has the programs, unless `--embedded` says otherwise.
 */
const text = { type: 'string' } as const
const flag = { type: 'boolean', default: false } as const
const { values, positionals } = parseArgs({ allowPositionals: true, options: { long: flag, embedded: flag, seed: text, json: text, files: { ...text, multiple: true } } })
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
if (!Number.isInteger(seed) || seed < 0) refuse('--seed must be a whole number.')
const unknown = positionals.find((name) => !attacks.some((attack) => attack.name === name))
if (unknown) refuse(`There is no attack "${unknown}".`)

const programs = values.embedded ? null : await findServerPrograms()
const servers = programs && 'found' in programs ? await openServers(programs.found) : null
if (servers) {
  useTestServer(servers.databaseUrl)
  useTestRedis(servers.redisUrl)
}

console.log(`${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, Node ${process.versions.node}. Load before: ${loadavg()[0]!.toFixed(2)}. Seed ${seed}: --seed ${seed} does the same again.`)
console.log(`Stores: ${servers ? 'private PostgreSQL and Redis of this machine' : 'embedded'}.`)
const results: Record<string, Figure[]> = {}
for (const { name, tries, run } of attacks.filter((attack) => positionals.length === 0 || positionals.includes(attack.name))) {
  console.log(`\n${name}: ${tries}`)
  const figures = (results[name] = await run({ seed, long: values.long, files: values.files ?? [], say: (line) => console.error(line) }))
  console.log(toTable(['measure', 'value', 'bound', ''], figures.map(({ measure, value, bound, holds }) => [measure, value, bound, holds ? 'holds' : 'BROKEN'])).join('\n'))
}
await servers?.close()
if (values.json) await writeFile(values.json, `${JSON.stringify({ seed, long: values.long, at: new Date().toISOString(), results }, null, 2)}\n`)
if (Object.values(results).flat().some(({ holds }) => !holds)) process.exitCode = 1

function refuse(why: string): never {
  console.error(`${why} Usage: npm run attack -- [${attacks.map(({ name }) => name).join('|')}]… [--long] [--embedded] [--seed N] [--json FILE] [--files DIR]…`)
  process.exit(2)
}
