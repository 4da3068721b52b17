import { writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { measureAcks } from './acks.ts'
import { measureActivity } from './activity.ts'
import { measureAnswering } from './answering.ts'
import { measureAway } from './away.ts'
import { measureBill } from './bill.ts'
import { measureDocuments } from './documents.ts'
import { measureGithub } from './github.ts'
import { measureGrowth } from './growth.ts'
import { measureIngest } from './ingest.ts'
import { measureModels } from './models.ts'
import { measureOutages } from './outages.ts'
import { measurePeers } from './peers.ts'
import { measureReplay } from './replay.ts'
import { toTable } from './report.ts'
import type { Result } from './report.ts'
import { measureDeployment } from './deployment.ts'
import { measureStart } from './start.ts'
import { measureStore } from './store.ts'
import { measureTeams } from './teams.ts'

const text = { type: 'string' } as const
const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: text, repo: text, commits: text, seed: text, every: text, minutes: text, questions: text, most: text, tenants: text, mentions: { type: 'boolean', default: false } } })
const suites: Record<string, () => Promise<Result[]>> = {
  store: measureStore,
  activity: measureActivity,
  ingest: measureIngest,
  service: measureDeployment,
  answering: measureAnswering,
  start: measureStart,
  github: measureGithub,
  documents: measureDocuments,
  teams: measureTeams,
  models: measureModels,
  outages: measureOutages,
  peers: measurePeers,
  growth: () => measureGrowth({ most: toCount('most', 100_000), tenants: toCount('tenants', 300), repo: values.repo ? resolve(values.repo) : null }),
  acks: () => measureAcks({ minutes: toCount('minutes', 1), mix: values.mentions ? 'mentions' : 'mixed' }),
  away: () => measureAway(toCount('minutes', 10)),
  bill: () => measureBill(toCount('questions', 1_000)),
  replay: () => measureReplay({ repo: resolve(values.repo!), commits: toCount('commits', 200), seed: toCount('seed', 1), every: toCount('every', 10) }),
}
const unknown = positionals.find((name) => !(name in suites))
if (unknown) refuse(`There is no bench "${unknown}".`)
if (positionals.includes('replay') && !values.repo) refuse('replay needs the checkout whose commits are pushed: --repo DIR.')

// Without a checkout there is nothing to replay; who wants them all does not want to wait out an outage or a flood, nor to install packages or fill a large store.
const names = positionals.length > 0 ? positionals : Object.keys(suites).filter((name) => !['replay', 'away', 'acks', 'peers', 'growth'].includes(name))
const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, Node ${process.versions.node}`
console.log(`${machine}. Servers and load run on this machine too. Load before: ${loadavg()[0]!.toFixed(2)}.`)
console.log('Ratios are of runs side by side, and hold better than the absolute figures.\n')
const results: Record<string, Result[]> = {}
for (const name of names) {
  results[name] = await suites[name]!()
  console.log(`${name}\n${toTable(results[name])}\n`)
}
console.log(`Load after: ${loadavg()[0]!.toFixed(2)}.`)
if (values.json) await writeFile(values.json, `${JSON.stringify({ machine, at: new Date().toISOString(), results }, null, 2)}\n`)
// What was replayed is right or wrong, on whatever machine; the figures of the others are read by people.
if (results.replay?.some(({ holds }) => holds === false)) process.exitCode = 1

function toCount(name: 'commits' | 'seed' | 'every' | 'minutes' | 'questions' | 'most' | 'tenants', fallback: number): number {
  const count = Number(values[name] ?? fallback)
  return Number.isInteger(count) && count > 0 ? count : refuse(`--${name} must be a whole number above 0.`)
}

function refuse(why: string): never {
  const usage = `npm run bench -- [${Object.keys(suites).join('|')}]… [--json FILE]; replay also takes --repo DIR [--commits 200] [--seed 1] [--every 10], away --minutes 10, acks [--minutes 1] [--mentions], bill --questions 1000, growth [--most 100000] [--tenants 300] [--repo DIR]`
  console.error(`${why} Usage: ${usage}`)
  process.exit(2)
}
