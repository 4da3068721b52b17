import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The types of Node leave it to those of browsers. */
const { WebAssembly } = globalThis as unknown as { WebAssembly: { compile(bytes: Uint8Array): Promise<object> } }

/** Opens the embedded store in a folder without anything of Nura around it, and prints what each step took, in milliseconds. */
const [folder] = process.argv.slice(2) as [string]
const steps: Record<string, { wallMs: number; cpuMs: number }> = {}

async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  const result = await run()
  const { user, system } = process.cpuUsage(cpu)
  steps[name] = { wallMs: performance.now() - start, cpuMs: (user + system) / 1000 }
  return result
}

const { PGlite, vector } = await step('import', async () => ({ ...(await import('@electric-sql/pglite')), ...(await import('@electric-sql/pglite-pgvector')) }))
const program = join(dirname(createRequire(import.meta.url).resolve('@electric-sql/pglite')), 'pglite.wasm')
const pgliteWasmModule = await step('compile', async () => WebAssembly.compile(await readFile(program)))
const db = await step('open', () => PGlite.create({ dataDir: folder, extensions: { vector }, pgliteWasmModule }))
await step('first query', () => db.query('select count(*) from nura.tenant'))
await step('second query', () => db.query('select count(*) from nura.migration'))
const { user, system } = process.cpuUsage()
console.log(JSON.stringify({ steps, cpuMs: (user + system) / 1000, resident: process.memoryUsage.rss() }))
await db.close()
