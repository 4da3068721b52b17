import { writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { measureIngest } from './ingest.ts'
import { toTable } from './report.ts'
import type { Result } from './report.ts'
import { measureDeployment } from './deployment.ts'
import { measureStart } from './start.ts'
import { measureStore } from './store.ts'

const suites: Record<string, () => Promise<Result[]>> = { store: measureStore, ingest: measureIngest, service: measureDeployment, start: measureStart }

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'string' } } })
const unknown = positionals.find((name) => !(name in suites))
if (unknown) {
  console.error(`There is no bench "${unknown}". Usage: npm run bench -- [${Object.keys(suites).join('|')}]… [--json FILE]`)
  process.exit(2)
}

const names = positionals.length > 0 ? positionals : Object.keys(suites)
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
