import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { texts } from '#bot/texts.ts'
import { awayNotice } from '#server/answer.ts'
import { until } from '../testing/until.ts'
import { longReply, openOutageRig, outages, providers, recovered, saidBy } from '../testing/outages.ts'
import type { OutageRig, ProviderName } from '../testing/outages.ts'

/** Whole processes start and are waited for here, on machines that do other things too. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

let rig: OutageRig
beforeAll(async () => void (rig = await openOutageRig()))
afterAll(() => rig?.close())

const names = Object.keys(providers) as ProviderName[]

/** One after the other they would wait out the same deadlines three times. */
async function ofEach(run: (provider: ProviderName) => Promise<void>): Promise<void> {
  await Promise.all(names.map(run))
}

test('the first model of each provider answers while nothing is wrong', () =>
  ofEach(async (provider) => {
    expect((await rig.ask(provider)).text).toContain(saidBy(provider))
  }))

test.each(outages)('the first model of each provider $name ($row): people get the answer of the next one, whole and once', ({ fault }) =>
  ofEach(async (provider) => {
    const before = rig.fakes[provider].requests.length
    rig.fakes[provider].fault = fault
    const { text } = await rig.ask(provider)
    expect(text, provider).toContain(saidBy('second'))
    expect(text, provider).not.toContain(saidBy(provider))
    expect(text, provider).not.toMatch(/Interrupted|Ref [0-9A-F]{6}/)
    expect(rig.fakes[provider].requests.length - before, provider).toBe(1)
    if (fault.retryAfter === undefined) return await recovered(rig, provider)
    // Nobody asks it before its time, however well it is by now.
    rig.fakes[provider].fault = null
    expect((await rig.ask(provider)).text, provider).toContain(saidBy('second'))
    expect(rig.fakes[provider].requests.length - before, provider).toBe(1)
  }))

test('a model that dies after something of it was shown (F19): what is shown stays, is marked, and can be asked for again', async () => {
  const { second } = rig.fakes
  const { reply } = second
  rig.fakes.openai.fault = { kind: 'status', status: 400 }
  Object.assign(second, { reply: () => longReply, fault: { kind: 'cut', after: 250 } })
  const { text } = await rig.ask('openai')
  expect(text).toMatch(/Sentence 1 says[^]*\[Interrupted before completion\][^]*The model broke off in the middle[^]*Retry/)
  Object.assign(second, { reply, fault: null })
  rig.fakes.openai.fault = null
})

test('no model at all (F21): people are told at once, nothing is lost, few calls are made, and the answer comes by itself', async () => {
  const all = Object.values(rig.fakes)
  for (const fake of all) fake.fault = { kind: 'status', status: 500 }
  const mentions = await Promise.all(names.map((provider) => rig.nura.ask(`${providers[provider]}, where is the signature of a webhook verified?`)))
  await Promise.all(mentions.map((mention) => rig.nura.shown(mention, new RegExp(texts.waiting), 20_000)))
  const before = rig.fakes.second.requests.length
  await sleep(2_000)
  // Three failures in a row open the gate; within its rest nobody is asked.
  expect(rig.fakes.second.requests.length - before).toBeLessThanOrEqual(1)
  for (const fake of all) fake.fault = null
  const answers = await Promise.all(mentions.map((mention) => rig.nura.shown(mention, /The \w+ model says/, 90_000)))
  expect(answers.join()).not.toContain(texts.waiting)
  for (const mention of mentions) expect(rig.nura.seen(mention)).toHaveLength(1)
})

test('a model that is starting (F22): others answer meanwhile, one call at a time wakes it, and it is back once it has started', async () => {
  await recovered(rig, 'bedrock')
  const { bedrock } = rig.fakes
  bedrock.fault = { kind: 'cold' }
  const before = bedrock.requests.length
  for (let asked = 0; asked < 3; asked++) expect((await rig.ask('bedrock')).text).toContain(saidBy('second'))
  expect(bedrock.requests.length - before).toBe(1)
  bedrock.fault = null
  await until('the call that wakes it', () => bedrock.requests.length - before === 2)
  await until('its answer', async () => (await rig.ask('bedrock')).text.includes(saidBy('bedrock')))
})

test('an embedding model that returns other dimensions (F23): nothing of it is compared, and the answer says so', async () => {
  rig.vectors.fault = { kind: 'dimensions', count: 768 }
  const { text } = await rig.ask('openai', 'where is the signature of the webhook verified?')
  expect(text).toContain(saidBy('openai'))
  expect(text).toContain(awayNotice)
})
