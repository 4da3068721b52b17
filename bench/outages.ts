import { setTimeout as sleep } from 'node:timers/promises'
import { longReply, openOutageRig, outages, providers, recovered, saidBy } from '#infra/testing/outages.ts'
import type { OutageRig, ProviderName } from '#infra/testing/outages.ts'
import type { Seen } from '#infra/testing/start-slack-deployment.ts'
import { until } from '#infra/testing/until.ts'
import { awayNotice } from '#server/answer.ts'
import type { VectorFault } from '#server/testing/fake-vectors.ts'
import type { Result } from './report.ts'

const names = Object.keys(providers) as ProviderName[]

/** For each provider and each fault: what people saw in Slack, and when. The whole thread is printed as it goes. */
export async function measureOutages(): Promise<Result[]> {
  return [...(await measureBought()), ...(await measureOwn())]
}

async function measureBought(): Promise<Result[]> {
  const rig = await openOutageRig()
  try {
    const results: Result[] = []
    for (const provider of names) results.push(...(await goThrough(rig, provider, provider)))
    return [...results, await dyingLate(rig), await nobody(rig), await starting(rig, 'bedrock', 'bedrock'), await otherDimensions(rig, 'a compatible server')]
  } finally {
    await rig.close()
  }
}

async function measureOwn(): Promise<Result[]> {
  const rig = await openOutageRig({ isOwn: true })
  try {
    const results = [...(await goThrough(rig, 'openai', 'vLLM')), await starting(rig, 'openai', 'vLLM')]
    for (const [at, [name, fault]] of vectorFaults.entries()) {
      rig.vectors.fault = fault
      // Each question is another one: the vector of one that was asked before is remembered.
      const asked = await rig.ask('openai', `where is the signature of a webhook verified${'?'.repeat(at + 2)}`)
      results.push(lexical(`${name} SageMaker`, asked))
      rig.vectors.fault = null
      for (let again = 0; fault.kind !== 'dimensions' && (await rig.ask('openai', `where is the signature of webhook ${at}-${again++} verified?`)).text.includes(awayNotice); ) await sleep(1_000)
    }
    return results
  } finally {
    await rig.close()
  }
}

const vectorFaults: [string, VectorFault][] = [
  ['F17 503 of', { kind: 'status', status: 503 }],
  ['F18 hanging', { kind: 'hang' }],
  ['F19 cut off', { kind: 'cut' }],
  ['F20 limited', { kind: 'status', status: 429, code: 'ThrottlingException', retryAfter: '2' }],
  ['F22 starting', { kind: 'status', status: 400, code: 'ValidationError', message: 'Variant AllTraffic has no instances' }],
  ['F23 other dimensions of', { kind: 'dimensions', count: 768 }],
]

async function goThrough(rig: OutageRig, provider: ProviderName, title: string): Promise<Result[]> {
  const results: Result[] = []
  await recovered(rig, provider)
  for (const outage of outages) {
    rig.fakes[provider].fault = outage.fault
    const before = rig.fakes[provider].requests.length
    const { text, timeline, ms } = await rig.ask(provider)
    const calls = rig.fakes[provider].requests.length - before
    results.push(toResult(`${outage.row} ${title} ${outage.name}`, timeline, { ms, calls, holds: text.includes(saidBy('second')) && calls === 1 && ms < 15_000, bound: 'the next model, < 15 s, 1 call' }))
    if (outage.fault.retryAfter === undefined) await recovered(rig, provider)
    else rig.fakes[provider].fault = null
  }
  return results
}

async function dyingLate(rig: OutageRig): Promise<Result> {
  const { openai, second } = rig.fakes
  const { reply } = second
  openai.fault = { kind: 'status', status: 400 }
  Object.assign(second, { reply: () => longReply, fault: { kind: 'cut', after: 250 } })
  const { text, timeline, ms } = await rig.ask('openai')
  Object.assign(second, { reply, fault: null })
  openai.fault = null
  return toResult('F19 a model dies after something was shown', timeline, { ms, calls: 1, holds: text.includes('[Interrupted before completion]'), bound: 'marked, with a button' })
}

async function nobody(rig: OutageRig): Promise<Result> {
  const all = Object.values(rig.fakes)
  for (const fake of all) fake.fault = { kind: 'status', status: 500 }
  const started = Date.now()
  const mention = await rig.nura.ask('as an architect, where is the signature of a webhook verified?')
  await rig.nura.shown(mention, /I keep trying/)
  const told = Date.now() - started
  await sleep(3_000)
  for (const fake of all) fake.fault = null
  await rig.nura.shown(mention, /The \w+ model says/, 120_000)
  return toResult('F21 no model answers', rig.nura.timeline(mention), { ms: told, calls: 1, holds: told < 20_000, bound: 'told < 20 s, answered later' })
}

async function starting(rig: OutageRig, provider: ProviderName, title: string): Promise<Result> {
  await recovered(rig, provider)
  const fake = rig.fakes[provider]
  fake.fault = { kind: 'cold' }
  const before = fake.requests.length
  const { text, timeline, ms } = await rig.ask(provider)
  await rig.ask(provider)
  const calls = fake.requests.length - before
  fake.fault = null
  await until('the model to be back', async () => (await rig.ask(provider)).text.includes(saidBy(provider)))
  return toResult(`F22 ${title} is starting`, timeline, { ms, calls, holds: text.includes(saidBy('second')) && calls === 1, bound: 'the next model, 1 call, back when warm' })
}

async function otherDimensions(rig: OutageRig, title: string): Promise<Result> {
  rig.vectors.fault = { kind: 'dimensions', count: 768 }
  return lexical(`F23 other dimensions of ${title}`, await rig.ask('bedrock', 'where is the signature of the webhook verified?'))
}

/** An answer that was found without vectors, and says so. */
function lexical(measure: string, { text, timeline, ms }: Awaited<ReturnType<OutageRig['ask']>>): Result {
  const footer = text.split('\n').find((line) => line.includes(awayNotice)) ?? 'no notice'
  return toResult(measure, [...timeline, { ms, what: `footer: ${footer}` }], { ms, calls: 1, holds: text.includes(awayNotice), bound: 'lexical, and says so' })
}

function toResult(measure: string, timeline: Seen[], { ms, calls, holds, bound }: { ms: number; calls: number; holds: boolean; bound: string }): Result {
  console.log(`${measure}\n${timeline.map((seen) => `  ${(seen.ms / 1000).toFixed(2).padStart(6)} s  ${seen.what.replace(/\s+/g, ' ').slice(0, 150)}`).join('\n')}`)
  return { measure, nura: `${(ms / 1000).toFixed(2)} s, ${calls} ${calls === 1 ? 'call' : 'calls'}`, bound, holds, numbers: { ms, calls } }
}
