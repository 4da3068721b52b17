import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRandom } from '#infra/testing/create-random.ts'
import { startProcess } from '#infra/testing/processes.ts'
import { makePdf } from '#server/testing/make-pdf.ts'
import { generateRepository } from './generate-repository.ts'
import { cost, median, quantile } from './measure.ts'
import { readCpuMs } from './process-usage.ts'
import type { Result } from './report.ts'

const pages = 300
const linesOfPage = 40
const aloneQuestions = 30
const words = `invoice customer contract delivery payment refund discount supplier warehouse carrier order return quality audit margin budget forecast region partner
  licence renewal support escalation incident outage recovery insurance compliance policy travel expense approval board quarter target revenue`.split(/\s+/)

/**
 * A long PDF given to `npm start`, where reading, indexing and answering share one process and the embedded store: how long until
 * its last page is found, and how long questions take meanwhile.
 */
export async function measureDocuments(): Promise<Result[]> {
  await using repository = await generateRepository(100)
  const folder = await mkdtemp(join(tmpdir(), 'nura-bench-'))
  const nura = await startProcess('infra/local.ts', { NURA_DATA_DIR: folder, NURA_REPOSITORY: repository.dir, LOG_LEVEL: 'error', NURA_ANSWER_CACHE: 'off' })
  try {
    const pdf = await makePdf(writePages())
    await askMany(nura.url, aloneQuestions)
    const alone = await askMany(nura.url, aloneQuestions)
    const cpuBefore = await readCpuMs(nura.pid)
    const start = performance.now()
    await give(nura.url, pdf)
    const found = untilFound(nura.url, `zanzibar${pages}`)
    const meanwhile: number[] = []
    let isFound = false
    void found.finally(() => (isFound = true)).catch(() => undefined)
    while (!isFound) meanwhile.push(...(await askMany(nura.url, 1)))
    await found
    const tookMs = performance.now() - start
    const cpu = ((await readCpuMs(nura.pid)) - cpuBefore) / 1000
    const show = (times: number[]) => `${median(times).toFixed(0)} ms p50, ${quantile(times, 0.95).toFixed(0)} ms p95, ${Math.max(...times).toFixed(0)} ms at most`
    return [
      {
        measure: `a PDF of ${pages} pages, ${(pdf.length / 1e6).toFixed(1)} MB, from its upload to its last page being found`,
        nura: `${(tookMs / 1000).toFixed(1)} s, ${cpu.toFixed(1)} s of CPU`,
        bound: '≤ 60 s',
        holds: tookMs <= 60_000,
        numbers: { tookMs, cpuSeconds: cpu, bytes: pdf.length },
      },
      {
        measure: 'an answer meanwhile',
        nura: show(meanwhile),
        baseline: `nothing else to do: ${show(alone)}`,
        bound: 'p95 ≤ 2000 ms',
        holds: quantile(meanwhile, 0.95) <= 2_000,
        numbers: { questions: meanwhile.length },
      },
    ]
  } finally {
    await nura.end('SIGTERM')
    await rm(folder, { recursive: true, force: true })
  }
}

/** Each page has a word of its own, by which it can be found. */
function writePages(): string[][] {
  const random = createRandom(7)
  const sentence = () => Array.from({ length: 13 }, () => words[Math.floor(random() * words.length)]).join(' ')
  return Array.from({ length: pages }, (_, page) => [`Section zanzibar${page + 1}`, ...Array.from({ length: linesOfPage }, () => `${sentence()}.`)])
}

async function give(url: string, pdf: Buffer): Promise<void> {
  const response = await fetch(`${url}/v1/documents?name=long.pdf`, { method: 'POST', headers: { 'content-type': 'application/pdf' }, body: new Uint8Array(pdf) })
  if (response.status !== 202) throw new Error(`The document got ${response.status}: ${await response.text()}`)
}

async function untilFound(url: string, word: string): Promise<void> {
  for (;;) {
    const response = await post(`${url}/v1/search`, { question: word, limit: 3 })
    const { passages } = (await response.json()) as { passages: { content: string }[] }
    if (passages.some(({ content }) => content.includes(word))) return
    await sleep(200)
  }
}

async function askMany(url: string, count: number): Promise<number[]> {
  const times: number[] = []
  for (let at = 0; at < count; at++) {
    const question = `where do we ${['verify', 'load', 'merge', 'route'][at % 4]} the ${['account', 'session', 'ledger'][at % 3]}?`
    const { wallMs } = await cost(async () => await (await post(`${url}/v1/ask`, { question })).arrayBuffer())
    times.push(wallMs)
  }
  return times
}

async function post(url: string, body: object): Promise<Response> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${url} got ${response.status}: ${await response.text()}`)
  return response
}
