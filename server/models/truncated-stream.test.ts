import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTcpProxy } from '#db/testing/open-tcp-proxy.ts'
import type { TcpProxy } from '#db/testing/open-tcp-proxy.ts'
import { webhookEvidence } from '../testing/evidence.ts'
import { startFakeOpenai } from '../testing/fake-openai.ts'
import type { FakeOpenai } from '../testing/fake-openai.ts'
import { streamChain } from './chain.ts'
import { createOpenai } from './openai.ts'

const request = { agent: 'dev', system: '', messages: [{ role: 'user' as const, content: 'Where?' }], evidence: webhookEvidence('Where?'), maxOutputTokens: 100 }
const first = 'The first answer has a sentence. And then it has another one.'
const second = 'The second answer is whole.'
let [fakes, proxy]: [FakeOpenai[], TcpProxy | null] = [[], null]

beforeAll(async () => {
  fakes = await Promise.all([first, second].map((text) => startFakeOpenai({ reply: () => text })))
  proxy = await openTcpProxy({ host: '127.0.0.1', port: Number(new URL(fakes[0]!.url).port) })
})
afterAll(async () => {
  await proxy?.close()
  await Promise.all(fakes.map((fake) => fake.close()))
})

/** What was told when the first model's connection breaks after so many bytes; after a restart only what came then. */
async function tell(bytes: number, hasShown: (text: string) => boolean): Promise<{ text: string; error?: unknown }> {
  proxy!.set({ truncateAt: bytes })
  const through = Object.assign(new URL(fakes[0]!.url), { port: String(proxy!.port) }).href
  const models = [through, fakes[1]!.url].map((baseUrl) => createOpenai('fake-chat', { apiKey: 'sk-test', baseUrl, isOpenai: false }))
  let text = ''
  try {
    for await (const event of streamChain(models, () => request, { signal: new AbortController().signal, onCall: () => undefined, hasShown: () => hasShown(text) })) {
      text = event.kind === 'restart' ? '' : event.kind === 'text' ? text + event.text : text
    }
    return { text }
  } catch (error) {
    return { text, error }
  }
}

/** Forty places from the first byte of the answer's head to beyond its end. */
const places = Array.from({ length: 40 }, (_, at) => 1 + at * 130)

test('F19: a model that breaks off anywhere before something was shown is as if it had not been asked', async () => {
  const told = []
  for (const bytes of places) told.push((await tell(bytes, () => false)).text)
  expect(new Set(told)).toEqual(new Set([first, second]))
})

test('F19: one that breaks off after something was shown is never followed by another, and never ends as if it were whole', async () => {
  let interrupted = 0
  for (const bytes of places) {
    const { text, error } = await tell(bytes, (shown) => shown !== '')
    if (error === undefined) expect([first, second]).toContain(text)
    else {
      expect(error).toMatchObject({ code: 'model-interrupted' })
      expect(first.startsWith(text) && text !== '').toBe(true)
      interrupted++
    }
  }
  expect(interrupted).toBeGreaterThan(3)
})
