import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startProcess } from '#infra/testing/processes.ts'
import type { NuraProcess } from '#infra/testing/processes.ts'
import { generateRepository } from './generate-repository.ts'
import { readableHeap, readLiveHeap } from './live-heap.ts'
import { cost, median, quantile } from './measure.ts'
import { readCpuMs, readMemory } from './process-usage.ts'
import type { Result } from './report.ts'

const files = 300
const smallFiles = 30
const rounds = 5
const busyAnswers = 50
const run = promisify(execFile)
const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`
const mb = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`

/** What a start took until its first answer was there: wall clock, and CPU of the process and of what it started. */
type Start = { wallMs: number; cpuMs: number }
type Opening = { steps: Record<string, Start>; cpuMs: number; resident: number }

/**
 * `npm start` on embedded stores until its first answer, on a folder that is indexed and on an empty one with a small repository,
 * beside what it cannot be cheaper than: Node that runs nothing, and the store alone. In turn, as the machine does other things too.
 */
export async function measureStart(): Promise<Result[]> {
  await using repository = await generateRepository(files)
  await using small = await generateRepository(smallFiles, 2)
  const folder = await mkdtemp(join(tmpdir(), 'nura-bench-'))
  const toEnv = (dataDir: string, dir: string) => ({ NURA_DATA_DIR: dataDir, NURA_REPOSITORY: dir, LOG_LEVEL: 'warn', NURA_ANSWER_CACHE: 'off' })
  const env = toEnv(folder, repository.dir)
  try {
    const first = await cost(async () => await (await startProcess('infra/local.ts', env)).end('SIGTERM'))
    const [bare, stores, indexed, empty]: [Start[], Opening[], Start[], Start[]] = [[], [], [], []]
    for (let round = 0; round < rounds; round++) {
      bare.push(await runBare())
      stores.push(await openStore(join(folder, 'store')))
      indexed.push(await untilAnswered(env))
      const fresh = await mkdtemp(join(tmpdir(), 'nura-bench-'))
      empty.push(await untilAnswered(toEnv(fresh, small.dir)))
      await rm(fresh, { recursive: true, force: true })
    }
    return [
      { measure: `first start to clean end, ${files} files`, nura: `${(first.wallMs / 1000).toFixed(1)} s` },
      ...toStarts(bare, stores, indexed, empty),
      ...toOpening(stores),
      ...(await measureRunning(env)),
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function runBare(): Promise<Start> {
  const start = performance.now()
  const { stdout } = await run(process.execPath, ['-e', 'process.once("exit", () => console.log(JSON.stringify(process.cpuUsage())))'])
  const { user, system } = JSON.parse(stdout) as NodeJS.CpuUsage
  return { wallMs: performance.now() - start, cpuMs: (user + system) / 1000 }
}

async function openStore(folder: string): Promise<Opening> {
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, 'open-pglite', 'main.ts'), folder])
  return JSON.parse(stdout) as Opening
}

async function untilAnswered(env: Record<string, string>): Promise<Start> {
  const start = performance.now()
  const nura = await startProcess('infra/local.ts', env)
  try {
    await ask(nura, 0)
    return { wallMs: performance.now() - start, cpuMs: await readCpuMs(nura.pid) }
  } finally {
    await nura.end('SIGTERM')
  }
}

async function ask({ url }: NuraProcess, at: number): Promise<void> {
  const question = `where do we ${['verify', 'load', 'merge', 'route'][at % 4]} the ${['account', 'session', 'ledger'][at % 3]}, and what does it call?`
  const response = await fetch(`${url}/v1/ask`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ question }) })
  if (!response.ok) throw new Error(`A question got ${response.status}: ${await response.text()}`)
  await response.arrayBuffer()
}

const medianOf = <Row>(rows: Row[], read: (row: Row) => number) => median(rows.map(read))
const show = (starts: Start[]) => `${seconds(medianOf(starts, ({ wallMs }) => wallMs))}, ${seconds(medianOf(starts, ({ cpuMs }) => cpuMs))} of CPU`

function toStarts(bare: Start[], stores: Opening[], indexed: Start[], empty: Start[]): Result[] {
  const opened = medianOf(stores, ({ cpuMs }) => cpuMs)
  const limits = `Node alone ${show(bare)}; with the store alone ${seconds(opened)} of CPU`
  const line = (measure: string, starts: Start[]): Result => {
    const ratios = starts.map(({ cpuMs }, round) => cpuMs / stores[round]!.cpuMs)
    return {
      measure,
      nura: show(starts),
      baseline: limits,
      ratio: { median: median(ratios), low: quantile(ratios, 0.25), high: quantile(ratios, 0.75) },
      numbers: { rounds, wallMs: starts.map(({ wallMs }) => Math.round(wallMs)).join(' '), cpuMs: starts.map(({ cpuMs }) => cpuMs).join(' ') },
    }
  }
  return [line(`indexed folder, ${files} files, to the first answer (ratio: CPU to the store's)`, indexed), line(`empty folder, ${smallFiles} files, indexed and to the first answer (same)`, empty)]
}

function toOpening(stores: Opening[]): Result[] {
  return Object.keys(stores[0]!.steps).map((name) => ({ measure: `the store alone: ${name}`, nura: show(stores.map(({ steps }) => steps[name]!)) }))
}

async function measureRunning(env: Record<string, string>): Promise<Result[]> {
  const nura = await startProcess('infra/local.ts', { ...env, ...readableHeap })
  const readRoom = async () => {
    const { resident } = await readMemory(nura.pid)
    return { resident, live: await readLiveHeap(nura) }
  }
  try {
    const idle = await readRoom()
    await ask(nura, 0)
    const answered = await readRoom()
    const cpuBefore = await readCpuMs(nura.pid)
    const times: number[] = []
    let highest = 0
    for (let at = 0; at < busyAnswers; at++) {
      times.push((await cost(() => ask(nura, at))).wallMs)
      highest = Math.max(highest, (await readMemory(nura.pid)).resident)
    }
    const cpuMs = ((await readCpuMs(nura.pid)) - cpuBefore) / busyAnswers
    const busy = await readRoom()
    const showRoom = ({ resident, live }: typeof idle) => `${mb(resident)} resident, ${mb(live)} of heap live`
    return [
      { measure: 'memory after the start', nura: showRoom(idle), numbers: idle },
      { measure: 'memory after one answer', nura: showRoom(answered), numbers: answered },
      { measure: `memory after ${busyAnswers} answers more`, nura: `${showRoom(busy)}, ${mb(highest)} at most`, numbers: { ...busy, highest } },
      {
        measure: 'extractive answer on the embedded store',
        nura: `${median(times).toFixed(0)} ms p50, ${quantile(times, 0.95).toFixed(0)} ms p95, ${cpuMs.toFixed(0)} ms of CPU`,
        bound: 'p95 ≤ 2000 ms',
        holds: quantile(times, 0.95) <= 2000,
        numbers: { first: times[0]!, worst: Math.max(...times), cpuMs },
      },
    ]
  } finally {
    await nura.end('SIGTERM')
  }
}
