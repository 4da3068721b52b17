import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { freePort } from '#infra/testing/free-port.ts'
import { commonFaults, embedderContract } from '../testing/embedder-contract.ts'
import type { EmbedderFault } from '../testing/embedder-contract.ts'
import { startFakeOpenai } from '../testing/fake-openai.ts'
import type { FakeOpenai } from '../testing/fake-openai.ts'
import type { VectorFault } from '../testing/fake-vectors.ts'
import type { EmbeddingCall } from './embedder.ts'
import { holdEmbedder } from './hold-embedder.ts'
import { createOpenaiEmbedder } from './openai-embedder.ts'

const wire: Record<EmbedderFault, VectorFault> = {
  ...commonFaults,
  'a rate limit of 30 s': { kind: 'status', status: 429, code: 'rate_limit_exceeded', retryAfter: '30' },
  'a server in trouble': { kind: 'status', status: 500 },
  'a server that is starting': { kind: 'status', status: 503, message: 'Model is loading (canary)' },
  'a refused key': { kind: 'status', status: 401, code: 'invalid_api_key' },
  'a model that is not there': { kind: 'status', status: 404, code: 'model_not_found' },
}

let fake: FakeOpenai
beforeAll(async () => void (fake = await startFakeOpenai()))
beforeEach(() => {
  fake.vectors.mostCharacters = Infinity
  fake.vectors.requests.length = fake.embeddingRequests.length = 0
})
afterAll(() => fake.close())

const openai = (model = 'text-embedding-3-large') => createOpenaiEmbedder(model, { apiKey: 'sk-test', baseUrl: fake.url, isOpenai: true })
const compatible = (model = 'BAAI/bge-m3', baseUrl = fake.url) => createOpenaiEmbedder(model, { apiKey: null, baseUrl, isOpenai: false })

embedderContract('of a compatible server', (deadlines) => holdEmbedder(compatible(), deadlines), () => ({
  cause: (fault) => void (fake.vectors.fault = fault && wire[fault]),
  calls: () => fake.vectors.requests.length,
  aborted: () => fake.vectors.aborted,
}))
embedderContract('of OpenAI', (deadlines) => holdEmbedder(openai(), deadlines))

describe('a request', () => {
  test('asks OpenAI for 1024 dimensions, with the key', async () => {
    await holdEmbedder(openai()).embed(['text'], 'document')
    expect(fake.embeddingRequests).toEqual([{ key: 'sk-test', body: { model: 'text-embedding-3-large', input: ['text'], dimensions: 1024, encoding_format: 'base64' } }])
  })

  test('asks a compatible server for what every server knows, without a key', async () => {
    await holdEmbedder(compatible()).embed(['text'], 'document')
    expect(fake.embeddingRequests).toEqual([{ key: null, body: { model: 'BAAI/bge-m3', input: ['text'], encoding_format: 'base64' } }])
  })

  test('is told and priced by what the server says it read', async () => {
    const heard: EmbeddingCall[] = []
    await holdEmbedder(openai()).embed(['x'.repeat(4_000)], 'document', undefined, (call) => heard.push(call))
    expect(heard).toMatchObject([{ model: 'openai:text-embedding-3-large', tokens: 1_000, estimated: false }])
    expect(heard[0]!.costUsd).toBeCloseTo((1_000 * 0.13) / 1e6, 12)
  })

  test('holds no more texts than the server takes', async () => {
    await holdEmbedder(compatible()).embed(Array.from({ length: 70 }, (_, at) => `text ${at}`), 'document')
    expect(fake.vectors.requests.map((texts) => texts.length)).toEqual([32, 32, 6])
  })

  test('holds no more characters than OpenAI takes', async () => {
    await holdEmbedder(openai()).embed(Array.from({ length: 60 }, () => 'word '.repeat(1_600)), 'document')
    expect(fake.vectors.requests.map((texts) => texts.length)).toEqual([25, 25, 10])
  })

  test('that is refused for its length is made with shorter texts', async () => {
    fake.vectors.mostCharacters = 500
    expect(await holdEmbedder(compatible()).embed(['short', 'long '.repeat(5_000)], 'document')).toHaveLength(2)
    expect(fake.vectors.requests.map((texts) => texts.map(({ length }) => length))).toEqual([[5, 8_000], [5, 2_000], [5, 400]])
  })

  test('that is refused however short it is, fails', async () => {
    fake.vectors.mostCharacters = 2
    await expect(holdEmbedder(compatible()).embed(['some text', 'long '.repeat(5_000)], 'document')).rejects.toMatchObject({ code: 'model-refused', retryable: false })
    expect(fake.vectors.requests).toHaveLength(3)
  })

  test('to a server of our own that is not there finds it starting; OpenAI is away', async () => {
    const baseUrl = `http://127.0.0.1:${await freePort()}/v1`
    const at = (isOpenai: boolean) => holdEmbedder(createOpenaiEmbedder('bge-m3', { apiKey: null, baseUrl, isOpenai })).embed(['text'], 'document')
    await expect(at(false)).rejects.toMatchObject({ code: 'model-cold' })
    await expect(at(true)).rejects.toMatchObject({ code: 'model-unavailable' })
  })
})

test.each([
  ['text-embedding-3-large', 'text-embedding-3-large/1024'],
  ['BAAI/bge-m3', 'bge-m3/1024'],
  ['bge-m3', 'bge-m3/1024'],
  ['Acme/Own-Model', 'acme/own-model/1024'],
])('the space of %s is %s', (model, space) => expect(compatible(model).space).toBe(space))

test('a name that no space can have is refused', () => {
  for (const model of ['mödel', '-x', 'a'.repeat(200)]) expect(() => compatible(model)).toThrow(expect.objectContaining({ code: 'bad-model' }))
})
