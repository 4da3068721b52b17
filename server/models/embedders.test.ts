import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '#infra/testing/free-port.ts'
import { createMetrics } from '../metrics.ts'
import { startFakeOpenai } from '../testing/fake-openai.ts'
import type { FakeOpenai } from '../testing/fake-openai.ts'
import { startFakeSagemaker } from '../testing/fake-sagemaker.ts'
import type { FakeSagemaker } from '../testing/fake-sagemaker.ts'
import type { EmbeddingCall } from './embedder.ts'
import { createEmbedders } from './embedders.ts'
import { lackingEmbedderKeys, toEmbedderChain } from './embedder-providers.ts'
import { lexicalEmbedder } from './lexical.ts'

let openai: FakeOpenai
let tei: FakeOpenai
let aws: FakeSagemaker
const warned: string[] = []
const log = { warn: (_: unknown, text?: string) => void warned.push(text ?? ''), info: () => undefined }

beforeAll(async () => {
  ;[openai, tei, aws] = await Promise.all([startFakeOpenai(), startFakeOpenai(), startFakeSagemaker()])
})
afterEach(() => {
  for (const { vectors } of [openai, tei, aws]) {
    vectors.fault = null
    vectors.requests.length = 0
  }
  warned.length = 0
})
afterAll(() => Promise.all([openai.close(), tei.close(), aws.close()]))

const settings = () => ({
  openai: { apiKey: 'sk-1', baseUrl: openai.url },
  sagemaker: { endpoint: aws.endpoint, client: { endpoint: aws.url, region: 'eu-central-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } } },
})
const open = (chain: string, { metrics = createMetrics(), deadlineMs = 60_000 } = {}) =>
  createEmbedders({ chain: toEmbedderChain(chain.replace('TEI', tei.url), 'EMBEDDING_MODELS'), settings: settings(), log, metrics, deadlines: { query: deadlineMs, document: deadlineMs } })
const large = 'openai:text-embedding-3-large'
const bge = 'sagemaker:bge-m3, openai:BAAI/bge-m3@TEI'

describe('the embedders of a chain', () => {
  test('have the first name’s space for new tenants, each other space beside it, and always the lexical one', () => {
    const embedders = open(`${bge}, ${large}`)
    expect(embedders.primary.space).toBe('bge-m3/1024')
    expect(embedders.spaces).toEqual(['bge-m3/1024', 'text-embedding-3-large/1024', 'lexical:default'])
    expect(embedders.of('text-embedding-3-large/1024')!.space).toBe('text-embedding-3-large/1024')
    expect(embedders.of('voyage/1024')).toBeNull()
    expect(open('lexical:default').spaces).toEqual(['lexical:default'])
    expect(open(large).of('lexical:default')!.space).toBe('lexical:default')
  })

  test('stand in for each other within a space, with the same vectors', async () => {
    const heard: EmbeddingCall[] = []
    const embedder = open(bge).of('bge-m3/1024', (call) => heard.push(call))!
    const [first] = await embedder.embed(['a text'], 'document')
    aws.vectors.fault = { kind: 'status', status: 500, code: 'InternalFailure' }
    const [second] = await embedder.embed(['a text'], 'document')
    first!.forEach((value, at) => expect(value).toBeCloseTo(second![at]!, 6))
    expect(heard.map(({ model, outcome }) => [model, outcome])).toEqual([['sagemaker:bge-m3', 'answered'], ['sagemaker:bge-m3', 'failed'], ['openai:BAAI/bge-m3', 'answered']])
  })

  test('never stand in for one of another space', async () => {
    tei.vectors.fault = aws.vectors.fault = { kind: 'hang' }
    await expect(open(`${bge}, ${large}`, { deadlineMs: 1_000 }).primary.embed(['a text'], 'query')).rejects.toMatchObject({ code: 'model-unavailable' })
    expect(aws.vectors.requests).toHaveLength(1)
    expect(tei.vectors.requests).toHaveLength(1)
    expect(openai.vectors.requests).toHaveLength(0)
  })

  test('that rest are skipped, and are no call', async () => {
    const embedder = open(bge).primary
    aws.vectors.fault = { kind: 'status', status: 429, code: 'ThrottlingException' }
    aws.vectors.faults.push({ kind: 'status', status: 400, code: 'ValidationError', message: 'has no capacity' })
    const heard: EmbeddingCall[] = []
    for (let at = 0; at < 3; at++) await embedder.embed(['a text'], 'query', undefined, (call) => heard.push(call))
    expect(aws.vectors.requests).toHaveLength(1)
    expect(tei.vectors.requests).toHaveLength(3)
    expect(heard.map(({ model }) => model.split(':')[0])).toEqual(['sagemaker', 'openai', 'openai', 'openai'])
  })
})

describe('when all of a space are away', () => {
  const soon = (error: unknown) => ((error as { retryAt?: Date }).retryAt?.getTime() ?? 0) - Date.now()
  const failure = (chain: string) => open(chain).primary.embed(['a text'], 'document').then(() => null, (error: unknown) => error)

  test('whoever indexes is told when to come again', async () => {
    tei.vectors.fault = aws.vectors.fault = { kind: 'status', status: 500, code: 'InternalFailure' }
    const error = await failure(bge)
    expect(error).toMatchObject({ code: 'model-unavailable', retryable: true, message: expect.stringContaining('bge-m3/1024') as string })
    expect(soon(error)).toBeGreaterThan(10_000)
    expect(soon(error)).toBeLessThanOrEqual(15_000)
  })

  test('the moment is what the model named', async () => {
    openai.vectors.fault = { kind: 'status', status: 429, retryAfter: '300' }
    expect(soon(await failure(large))).toBeGreaterThan(200_000)
  })

  test('a server that is not there is waited for as one that starts', async () => {
    const error = await failure(`openai:BAAI/bge-m3@http://127.0.0.1:${await freePort()}/v1`)
    expect(error).toMatchObject({ code: 'model-unavailable', retryable: true })
    expect(soon(error)).toBeGreaterThan(10_000)
  })

  test('settings that must be put right are named, waited for by nobody, and warned of once', async () => {
    openai.vectors.fault = { kind: 'status', status: 401 }
    const embedder = open(large).primary
    for (let at = 0; at < 2; at++) {
      const error = await embedder.embed(['a text'], 'document').catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ retryable: false, retryAt: undefined, message: expect.stringContaining('check OPENAI_API_KEY') as string })
    }
    expect(openai.vectors.requests).toHaveLength(1)
    expect(warned).toHaveLength(1)
  })

  test('vectors of another length are refused, and the model rests', async () => {
    openai.vectors.fault = { kind: 'dimensions', count: 768 }
    const embedder = open(large).primary
    await expect(embedder.embed(['a text'], 'document')).rejects.toMatchObject({ code: 'wrong-dimensions', retryable: false, message: expect.stringContaining('768') as string })
    await expect(embedder.embed(['a text'], 'document')).rejects.toMatchObject({ retryable: false })
    expect(openai.vectors.requests).toHaveLength(1)
  })

  test('vectors that cannot be used cost an attempt: waiting for them would never end', async () => {
    openai.vectors.fault = { kind: 'nan' }
    expect(await failure(large)).toMatchObject({ code: 'bad-vectors', retryable: true, retryAt: undefined })
  })
})

test('calls are measured by space', async () => {
  const metrics = createMetrics()
  await open(large, { metrics }).primary.embed(['a', 'b'], 'document')
  expect(await metrics.registry.metrics()).toContain('nura_embedded_chunks_total{model="text-embedding-3-large/1024"} 2')
})

test('the lexical embedder calls nobody, and tells of nothing', async () => {
  const heard: EmbeddingCall[] = []
  const embedder = open('lexical:default').of('lexical:default', (call) => heard.push(call))!
  expect(await embedder.embed(['a b'], 'query')).toEqual(await lexicalEmbedder.embed(['a b'], 'query'))
  expect(heard).toEqual([])
})

describe('toEmbedderChain', () => {
  test.each([
    ['', 'names no model'],
    ['gpt', 'is not provider:model[@baseUrl], such as lexical:default'],
    ['anthropic:x', 'there is no provider "anthropic". Use one of: lexical, openai, sagemaker'],
    ['extractive:default', 'there is no provider "extractive"'],
    ['lexical:other', 'lexical has one model'],
    ['sagemaker:bge-m3@https://x', 'has no address of its own'],
    ['openai:mödel', 'cannot name an embedding space'],
  ])('refuses "%s"', (text, fault) => expect(() => toEmbedderChain(text, 'EMBEDDING_MODELS')).toThrow(fault))

  test('what a model lacks is named', () => {
    const bare = { openai: { apiKey: null, baseUrl: 'https://api.openai.com/v1' }, sagemaker: { endpoint: null } }
    expect(lackingEmbedderKeys(toEmbedderChain(`${large}, sagemaker:bge-m3, openai:BAAI/bge-m3@http://tei:8080/v1`, 'EMBEDDING_MODELS'), bare)).toEqual([
      expect.stringContaining('openai:text-embedding-3-large needs OPENAI_API_KEY; set it'),
      expect.stringContaining('sagemaker:bge-m3 needs SAGEMAKER_EMBEDDING_ENDPOINT; set it'),
    ])
  })
})
