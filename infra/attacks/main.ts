import { writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { toTable } from '../to-table.ts'
import type { Figure } from './attack.ts'
import { attacks } from './index.ts'

/** `npm run attack`: tries to break what `docs/guarantees.md` promises, and says what it counted. Exit 1 when something broke. */
const text = { type: 'string' } as const
const { values, positionals } = parseArgs({ allowPositionals: true, options: { long: { type: 'boolean', default: false }, seed: text, json: text, files: { ...text, multiple: true } } })
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
if (!Number.isInteger(seed) || seed < 0) refuse('--seed must be a whole number.')
const unknown = positionals.find((name) => !attacks.some((attack) => attack.name === name))
if (unknown) refuse(`There is no attack "${unknown}".`)

console.log(`${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, Node ${process.versions.node}. Load before: ${loadavg()[0]!.toFixed(2)}. Seed ${seed}: --seed ${seed} does the same again.`)
const results: Record<string, Figure[]> = {}
for (const { name, tries, run } of attacks.filter((attack) => positionals.length === 0 || positionals.includes(attack.name))) {
  console.log(`\n${name}: ${tries}`)
  const figures = (results[name] = await run({ seed, long: values.long, files: values.files ?? [], say: (line) => console.error(line) }))
  console.log(toTable(['measure', 'value', 'bound', ''], figures.map(({ measure, value, bound, holds }) => [measure, value, bound, holds ? 'holds' : 'BROKEN'])).join('\n'))
}
if (values.json) await writeFile(values.json, `${JSON.stringify({ seed, long: values.long, at: new Date().toISOString(), results }, null, 2)}\n`)
if (Object.values(results).flat().some(({ holds }) => !holds)) process.exitCode = 1

function refuse(why: string): never {
  console.error(`${why} Usage: npm run attack -- [${attacks.map(({ name }) => name).join('|')}]… [--long] [--seed N] [--json FILE] [--files DIR]…`)
  process.exit(2)
}
