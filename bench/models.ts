import OpenAI from 'openai'
import { createMemoryCache } from '#server/cache/memory-cache.ts'
import { createMetrics } from '#server/metrics.ts'
import { createQueryCache } from '#server/models/cache-embedder.ts'
import type { ChatModel, ChatRequest } from '#server/models/chat-model.ts'
import { streamChain } from '#server/models/chain.ts'
import type { Embedder } from '#server/models/embedder.ts'
import { toEmbedderChain } from '#server/models/embedder-providers.ts'
import { createEmbedders } from '#server/models/embedders.ts'
import { createOpenModel, toChain } from '#server/models/index.ts'
import { webhookEvidence } from '#server/testing/evidence.ts'
import { startFakeOpenai } from '#server/testing/fake-openai.ts'
import type { FakeOpenai } from '#server/testing/fake-openai.ts'
import { median, quantile } from './measure.ts'
import type { Result } from './report.ts'

const streams = 50
const rounds = 40
/** The fake's own time before each piece of text, milliseconds. */
const delayMs = 40
const question = 'Where do we verify webhook signatures?'
const request: ChatRequest = { agent: 'dev', system: 'Answer from the passages.', messages: [{ role: 'user', content: question }], evidence: webhookEvidence(question), maxOutputTokens: 500 }

/** What the chain adds to a model before its first token, and how long a model that fails keeps people waiting. */
export async function measureModels(): Promise<Result[]> {
  const [first, second] = await Promise.all([startFakeOpenai(), startFakeOpenai()])
  try {
    return [await measureOverhead(first), ...(await measureFailover(first, second)), await measureCachedQuery(second)]
  } finally {
    await Promise.all([first.close(), second.close()])
  }
}

async function measureOverhead(fake: FakeOpenai): Promise<Result> {
  fake.fault = { kind: 'slow', ms: delayMs }
  const bare = new OpenAI({ apiKey: 'none', baseURL: fake.url, maxRetries: 0, logLevel: 'off' })
  const chain = open(fake)
  const sides = { bare: () => firstOfBare(bare), chain: () => firstOf(chain) }
  await together(sides.bare)
  await together(sides.chain)
  const took: { bare: number[]; chain: number[] }[] = []
  for (let round = 0; round < rounds; round++) {
    const bareFirst = round % 2 === 0
    const one = await together(bareFirst ? sides.bare : sides.chain)
    const other = await together(bareFirst ? sides.chain : sides.bare)
    took.push(bareFirst ? { bare: one, chain: other } : { bare: other, chain: one })
  }
  fake.fault = null
  const at = (q: number) => took.map(({ bare: without, chain: by }) => ({ added: quantile(by, q) - quantile(without, q), ratio: quantile(by, q) / quantile(without, q) }))
  const added = median(at(0.95).map((round) => round.added))
  const ratios = at(0.95).map(({ ratio }) => ratio)
  const show = (side: 'bare' | 'chain') => [0.5, 0.95].map((q) => `${median(took.map((round) => quantile(round[side], q))).toFixed(1)} ms p${q * 100}`).join(', ')
  return {
    measure: `first token, ${streams} streams at once, the model takes ${delayMs} ms`,
    nura: show('chain'),
    baseline: `bare SDK: ${show('bare')}`,
    ratio: { median: median(ratios), low: quantile(ratios, 0.25), high: quantile(ratios, 0.75) },
    bound: 'adds ≤ 5 ms at p95',
    holds: added <= 5,
    numbers: { addedMsP95: added, addedMsP50: median(at(0.5).map((round) => round.added)), calls: rounds * streams },
  }
}

async function measureFailover(first: FakeOpenai, second: FakeOpenai): Promise<Result[]> {
  const results: Result[] = []
  const alone = await repeat(10, () => firstOf(open(second)))
  for (const status of [429, 503]) {
    first.fault = { kind: 'status', status }
    // A new gate each time: this is the question that finds out.
    const took = await repeat(20, () => firstOf(open(first, second)))
    results.push(toResult(`first token after the first model answered ${status}`, took, alone, 1_000))
  }
  first.fault = { kind: 'hang' }
  const deadline = 500
  const took = await repeat(5, () => firstOf(open(first, second, deadline)))
  results.push(toResult(`first token after the first model hung, its deadline at ${deadline} ms`, took, alone, deadline + 1_000))
  first.fault = null
  return results
}

/** The vector of a question from its endpoint, from the memory of the process, and from the cache that processes share; in memory here. */
async function measureCachedQuery(fake: FakeOpenai): Promise<Result> {
  const endpointMs = 20
  fake.vectors.fault = { kind: 'slow', ms: endpointMs }
  const metrics = createMetrics()
  const cache = createMemoryCache({ metrics })
  const silent = { warn: () => undefined, info: () => undefined }
  const settings = { openai: { apiKey: null, baseUrl: 'https://api.openai.com/v1' }, sagemaker: { endpoint: null } }
  const { primary } = createEmbedders({ chain: toEmbedderChain(`openai:BAAI/bge-m3@${fake.url}`, 'EMBEDDING_MODELS'), settings, log: silent })
  // A new one for each look into the cache: what a process has at hand it does not look for there.
  const shared = () => createQueryCache(cache)(primary, 'tenant')
  const near = shared()
  const timed = (embedder: Embedder) => async () => {
    const started = performance.now()
    await embedder.embed([question], 'query')
    return performance.now() - started
  }
  const endpoint = await repeat(40, timed(primary))
  await near.embed([question], 'query')
  const [atHand, fromCache] = [await repeat(400, timed(near)), await repeat(400, () => timed(shared())())]
  await cache.close()
  const faster = median(endpoint) / median(fromCache)
  return {
    measure: `vector of a question that was asked before, its endpoint takes ${endpointMs} ms`,
    nura: `${median(atHand).toFixed(3)} ms p50 at hand, ${median(fromCache).toFixed(3)} ms p50 from the cache`,
    baseline: `endpoint: ${median(endpoint).toFixed(1)} ms p50`,
    bound: '≥ 100 × faster',
    holds: faster >= 100,
    numbers: { timesFaster: faster, timesFasterAtHand: median(endpoint) / median(atHand) },
  }
}

function toResult(measure: string, took: number[], alone: number[], most: number): Result {
  return {
    measure,
    nura: `${median(took).toFixed(1)} ms p50, ${Math.max(...took).toFixed(1)} ms worst`,
    baseline: `second model alone: ${median(alone).toFixed(1)} ms p50`,
    bound: `≤ ${most} ms`,
    holds: Math.max(...took) <= most,
    numbers: { calls: took.length },
  }
}

function open(first: FakeOpenai, second: FakeOpenai = first, deadlineMs = 8_000): ChatModel[] {
  const settings = { openai: { apiKey: null, baseUrl: 'https://api.openai.com/v1' } } as Parameters<typeof createOpenModel>[0]['settings']
  const chain = toChain(`openai:one@${first.url}, openai:two@${second.url}`, 'DEV_MODELS')
  return chain.map(createOpenModel({ settings, deadlines: { first: deadlineMs, silence: 15_000, total: 60_000 } }))
}

/** Milliseconds to the first text; the stream is read to its end. */
async function firstOf(models: ChatModel[]): Promise<number> {
  const started = performance.now()
  let took: number | null = null
  for await (const event of streamChain(models, () => request, { signal: new AbortController().signal, onCall: () => undefined })) {
    if (event.kind === 'text') took ??= performance.now() - started
  }
  return took!
}

async function firstOfBare(client: OpenAI): Promise<number> {
  const started = performance.now()
  let took: number | null = null
  const messages = [{ role: 'system' as const, content: request.system }, ...request.messages]
  for await (const chunk of await client.chat.completions.create({ model: 'one', messages, max_tokens: 500, stream: true, stream_options: { include_usage: true } })) {
    if (chunk.choices[0]?.delta.content) took ??= performance.now() - started
  }
  return took!
}

const together = (run: () => Promise<number>) => Promise.all(Array.from({ length: streams }, run))

async function repeat(times: number, run: () => Promise<number>): Promise<number[]> {
  const took: number[] = []
  for (let at = 0; at < times; at++) took.push(await run())
  return took
}
