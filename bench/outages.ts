import { setTimeout as sleep } from 'node:timers/promises'
import { longReply, openOutageRig, outages, providers, recovered, saidBy } from '#infra/models/outages.ts'
import type { OutageRig, ProviderName } from '#infra/models/outages.ts'
import type { Seen } from '#infra/testing/start-slack-deployment.ts'
import { until } from '#infra/testing/until.ts'
import { awayNotice } from '#server/answer.ts'
import type { Result } from './report.ts'

const names = Object.keys(providers) as ProviderName[]

/** For each provider and each fault: what people saw in Slack, and when. The whole thread is printed as it goes. */
export async function measureOutages(): Promise<Result[]> {
  const rig = await openOutageRig()
  try {
    const results: Result[] = []
    for (const provider of names) {
      await recovered(rig, provider)
      for (const outage of outages) {
        rig.fakes[provider].fault = outage.fault
        const before = rig.fakes[provider].requests.length
        const { text, timeline, ms } = await rig.ask(provider)
        const calls = rig.fakes[provider].requests.length - before
        results.push(toResult(`${outage.row} ${provider} ${outage.name}`, timeline, { ms, calls, holds: text.includes(saidBy('second')) && calls === 1 && ms < 15_000, bound: 'the next model, < 15 s, 1 call' }))
        if (outage.fault.retryAfter === undefined) await recovered(rig, provider)
        else rig.fakes[provider].fault = null
      }
    }
    return [...results, await dyingLate(rig), await nobody(rig), await starting(rig), await otherDimensions(rig)]
  } finally {
    await rig.close()
  }
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

async function starting(rig: OutageRig): Promise<Result> {
  await recovered(rig, 'bedrock')
  const { bedrock } = rig.fakes
  bedrock.fault = { kind: 'cold' }
  const before = bedrock.requests.length
  const { text, timeline, ms } = await rig.ask('bedrock')
  await rig.ask('bedrock')
  const calls = bedrock.requests.length - before
  bedrock.fault = null
  await until('the model to be back', async () => (await rig.ask('bedrock')).text.includes(saidBy('bedrock')))
  return toResult('F22 a model is starting', timeline, { ms, calls, holds: text.includes(saidBy('second')) && calls === 1, bound: 'the next model, 1 call, back when warm' })
}

async function otherDimensions(rig: OutageRig): Promise<Result> {
  rig.vectors.fault = { kind: 'dimensions', count: 768 }
  const { text, timeline, ms } = await rig.ask('bedrock', 'where is the signature of the webhook verified?')
  return toResult('F23 vectors of other dimensions', [...timeline, { ms, what: `footer: ${text.split('\n').find((line) => line.includes('words and names')) ?? ''}` }], { ms, calls: 1, holds: text.includes(awayNotice), bound: 'lexical, and says so' })
}

function toResult(measure: string, timeline: Seen[], { ms, calls, holds, bound }: { ms: number; calls: number; holds: boolean; bound: string }): Result {
  console.log(`${measure}\n${timeline.map((seen) => `  ${(seen.ms / 1000).toFixed(2).padStart(6)} s  ${seen.what.replace(/\s+/g, ' ').slice(0, 150)}`).join('\n')}`)
  return { measure, nura: `${(ms / 1000).toFixed(2)} s, ${calls} ${calls === 1 ? 'call' : 'calls'}`, bound, holds, numbers: { ms, calls } }
}
