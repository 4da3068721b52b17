import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '#infra/testing/free-port.ts'
import { startFakeReranker } from '../testing/fake-reranker.ts'
import type { FakeReranker, RerankFault } from '../testing/fake-reranker.ts'
import { rerankerContract } from '../testing/reranker-contract.ts'
import type { RerankerRig } from '../testing/reranker-contract.ts'
import { createReranker, toRerankerChain } from './rerankers.ts'
import { createTeiReranker } from './tei-reranker.ts'

const wire: Record<Parameters<RerankerRig['cause']>[0] & string, RerankFault> = {
  'a server that never answers': { kind: 'hang' },
  'a rate limit of 30 s': { kind: 'status', status: 429, retryAfter: '30' },
  'a server in trouble': { kind: 'status', status: 500 },
  'a server that is starting': { kind: 'status', status: 503, message: 'Model canary is not ready' },
  'a refused key': { kind: 'status', status: 401 },
  'a connection that is cut': { kind: 'cut' },
  'a body that cannot be read': { kind: 'malformed' },
  'a score that is no number': { kind: 'nan' },
  'a score too few': { kind: 'short' },
}
const log = { warn: () => undefined, info: () => undefined }

let fake: FakeReranker
beforeAll(async () => void (fake = await startFakeReranker()))
afterEach(() => {
  fake.fault = null
  fake.requests.length = 0
})
afterAll(() => fake.close())

rerankerContract('of text-embeddings-inference', () => createTeiReranker('BAAI/bge-reranker-v2-m3', `${fake.url}/`), () => ({
  cause: (fault) => void (fake.fault = fault && wire[fault]),
  calls: () => fake.requests.length,
  aborted: () => fake.aborted,
}))

test('a request is cut by the server where it is too long, and asks for scores between 0 and 1', async () => {
  await createTeiReranker('m', fake.url).rerank('cart', ['a cart'])
  expect(fake.requests).toEqual([{ query: 'cart', texts: ['a cart'], truncate: true, raw_scores: false }])
})

describe('a chain', () => {
  const open = (urls: string[], more: { deadlineMs?: number } = {}) => createReranker({ chain: toRerankerChain(urls.map((url) => `tei:m@${url}`).join(','), 'RERANKER_MODELS'), log, deadlineMs: 60_000, ...more })!

  test('asks the next when one fails', async () => {
    const away = `http://127.0.0.1:${await freePort()}`
    expect(await open([away, fake.url]).rerank('cart', ['a cart', 'else'])).toEqual([1, 0])
  })

  test('ends at its deadline, and rests after three of them', async () => {
    fake.fault = { kind: 'hang' }
    const reranker = open([fake.url], { deadlineMs: 30 })
    for (let at = 0; at < 3; at++) await expect(reranker.rerank('cart', ['a'])).rejects.toMatchObject({ code: 'model-unavailable', message: expect.stringContaining('30 ms') as string })
    await expect(reranker.rerank('cart', ['a'])).rejects.toMatchObject({ code: 'model-resting' })
    expect(fake.requests).toHaveLength(3)
  })

  test('of nothing is none', () => expect(createReranker({ chain: [], log })).toBeNull())

  test.each([
    ['tei:m', 'tei:m needs the address of its server'],
    ['openai:m@http://x', 'there is no provider "openai". Use one of: tei'],
    ['tei', 'is not provider:model[@baseUrl], such as tei:BAAI/bge-reranker-v2-m3@http'],
  ])('refuses %s', (text, fault) => expect(() => toRerankerChain(text, 'RERANKER_MODELS')).toThrow(fault))
})
