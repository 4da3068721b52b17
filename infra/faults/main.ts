import { writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { findServerPrograms } from '../testing/server-programs.ts'
import { toTable } from '../to-table.ts'
import { injections } from './injections.ts'
import { openRig } from './open-rig.ts'
import { runFaults } from './run-faults.ts'
import type { Recovery } from './run-faults.ts'

/**
 * `npm run faults`: asks Nura steadily while its processes, stores and what it depends on are killed, frozen and cut, and
 * settles what was acknowledged against what people see. Exit 1 when anything was lost, doubled or left without an outcome.
 */
const text = { type: 'string' } as const
const { values } = parseArgs({ options: { long: { type: 'boolean', default: false }, minutes: text, count: text, rate: text, only: { ...text, multiple: true }, seed: text, json: text } })
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
if (!Number.isInteger(seed) || seed < 0) refuse('--seed must be a whole number.')
const unknown = values.only?.find((name) => !injections.some((injection) => injection.name === name))
if (unknown) refuse(`There is no fault "${unknown}". There are: ${injections.map(({ name }) => name).join('; ')}.`)
const programs = await findServerPrograms()
if ('missing' in programs) refuse(`This machine lacks ${programs.missing.join(' and ')}.`)

console.log(`${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, Node ${process.versions.node}. Load before: ${loadavg()[0]!.toFixed(2)}. Seed ${seed}: --seed ${seed} draws the same faults again.`)
const { long, only, minutes } = values
const rig = await openRig(programs.found)
const result = await runFaults(rig, {
  seed, long,
  count: toNumber('count', long ? 200 : 12),
  ...(minutes && { minutes: toNumber('minutes', 0) }),
  aSecond: toNumber('rate', 4),
  patience: 30,
  ...(only && { only }),
  say: (line) => console.error(line),
}).finally(() => rig.close())

const { account, recoveries, acksMs, broken } = result
for (const story of broken) console.log(`\n${story}`)
console.log()
const lines: [measure: string, value: number, bound: string][] = [
  ['events', account.asked, ''],
  ['acknowledged', account.acknowledged, ''],
  ['never acknowledged', account.neverAcknowledged, ''],
  ['acknowledged and lost', account.lost.length, '0'],
  ['told why there is no answer', account.told.length, ''],
  ['double visible replies', account.double.length, '0'],
  ['answers in a foreign thread', account.foreign.length, '0'],
  ['without outcome', account.withoutOutcome.length, '0'],
  ['slowest acknowledgement, ms', Math.max(0, ...acksMs), ''],
]
console.log(toTable(['measure', 'value', 'bound', ''], lines.map(([measure, value, bound]) => [measure, String(value), bound, bound === '' ? '' : value === 0 ? 'holds' : 'BROKEN'])).join('\n'))
console.log()
const head = ['fault', 'times', 'new answered', 'at most', 'old answered', 'at most']
console.log(toTable(head, Object.entries(Object.groupBy(recoveries, ({ name }) => name)).map(([name, all = []]) => [name, String(all.length), ...toSeconds(all, 'newMs'), ...toSeconds(all, 'oldMs')]), head.slice(1)).join('\n'))
if (values.json) await writeFile(values.json, `${JSON.stringify({ seed, long, at: new Date().toISOString(), ...result }, null, 2)}\n`)
if (lines.some(([, value, bound]) => bound !== '' && value > 0)) process.exitCode = 1

function toSeconds(all: Recovery[], key: 'newMs' | 'oldMs'): [median: string, most: string] {
  const sorted = all.map((recovery) => recovery[key] ?? Infinity).sort((a, b) => a - b)
  const say = (ms: number) => (ms === Infinity ? 'never' : `${(ms / 1_000).toFixed(1)} s`)
  return [say(sorted[Math.floor((sorted.length - 1) / 2)]!), say(sorted.at(-1)!)]
}

function toNumber(name: 'minutes' | 'count' | 'rate', fallback: number): number {
  const number = Number(values[name] ?? fallback)
  return number > 0 || (name === 'minutes' && number === 0) ? number : refuse(`--${name} must be a number above 0.`)
}

function refuse(why: string): never {
  console.error(`${why} Usage: npm run faults -- [--long] [--minutes N] [--count N] [--rate N] [--only FAULT]… [--seed N] [--json FILE]`)
  process.exit(2)
}
