import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { commonFaults, embedderContract } from '../testing/embedder-contract.ts'
import type { EmbedderFault } from '../testing/embedder-contract.ts'
import { startFakeSagemaker } from '../testing/fake-sagemaker.ts'
import type { FakeSagemaker } from '../testing/fake-sagemaker.ts'
import type { VectorFault } from '../testing/fake-vectors.ts'
import { holdEmbedder } from './hold-embedder.ts'
import { createSagemakerEmbedder } from './sagemaker-embedder.ts'

const noInstance = 'Inference Component canary has no capacity to process this request. ApplicationAutoScaling may be in-progress (if configured)'
const wire: Record<EmbedderFault, VectorFault> = {
  ...commonFaults,
  'a rate limit of 30 s': { kind: 'status', status: 429, code: 'TooManyRequests', retryAfter: '30' },
  'a server in trouble': { kind: 'status', status: 500, code: 'InternalFailure' },
  'a server that is starting': { kind: 'status', status: 400, code: 'ValidationError', message: noInstance },
  'a refused key': { kind: 'status', status: 403, code: 'AccessDeniedException' },
  'a model that is not there': { kind: 'status', status: 400, code: 'ValidationError', message: 'Endpoint canary of account 1 not found.' },
}

let fake: FakeSagemaker
beforeAll(async () => void (fake = await startFakeSagemaker()))
afterEach(() => {
  fake.shape = (vectors) => vectors
  fake.vectors.mostCharacters = Infinity
})
afterAll(() => fake.close())

const client = () => ({ endpoint: fake.url, region: 'eu-central-1', credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'canary' } })
const create = (endpoint = fake.endpoint, deadlines?: Parameters<typeof holdEmbedder>[1]) => holdEmbedder(createSagemakerEmbedder('bge-m3', { endpoint, client: client() }), deadlines)

embedderContract('of SageMaker', (deadlines) => create(fake.endpoint, deadlines), () => ({
  cause: (fault) => void (fake.vectors.fault = fault && wire[fault]),
  calls: () => fake.vectors.requests.length,
  aborted: () => fake.vectors.aborted,
}))

describe('a container', () => {
  test.each<[string, (vectors: number[][]) => unknown]>([
    ['an array', (vectors) => vectors],
    ['embeddings', (embeddings) => ({ embeddings })],
    ['dense_vecs', (vectors) => ({ dense_vecs: vectors })],
    ['data, in any order', (vectors) => ({ data: vectors.map((embedding, index) => ({ index, embedding })).toReversed() })],
  ])('may answer with %s', async (_, shape) => {
    const [plain] = await create().embed(['one'], 'document')
    fake.shape = shape
    const [first, second] = await create().embed(['one', 'two'], 'document')
    expect(first).toEqual(plain)
    expect(second).not.toEqual(plain)
  })

  test.each<[string, unknown, string]>([
    ['an object without vectors', { hello: 1 }, 'model-unavailable'],
    ['null', null, 'model-unavailable'],
    ['vectors of each token', [[[0.1]], [[0.2]]], 'wrong-dimensions'],
    ['words', ['a', 'b'], 'bad-vectors'],
  ])('that answers with %s is not believed', async (_, body, code) => {
    fake.shape = () => body
    await expect(create().embed(['one', 'two'], 'document')).rejects.toMatchObject({ code })
  })

  test('that refuses long texts gets shorter ones', async () => {
    fake.vectors.mostCharacters = 2_000
    expect(await create().embed(['short', 'long '.repeat(5_000)], 'document')).toHaveLength(2)
  })
})

test.each([
  [{ kind: 'status', status: 503, code: 'ServiceUnavailable' }, 'model-unavailable'],
  [{ kind: 'status', status: 429, code: 'ThrottlingException' }, 'model-unavailable'],
  [{ kind: 'status', status: 429, code: 'ModelNotReadyException' }, 'model-cold'],
  [{ kind: 'status', status: 424, code: 'ModelError', message: 'Model is loading' }, 'model-cold'],
  [{ kind: 'status', status: 424, code: 'ModelError', message: 'out of memory' }, 'model-unavailable'],
  [{ kind: 'status', status: 400, code: 'ValidationError', message: 'The endpoint canary is not InService' }, 'model-cold'],
  [{ kind: 'status', status: 400, code: 'ValidationError', message: 'Variant AllTraffic has no instances' }, 'model-cold'],
  [{ kind: 'status', status: 400, code: 'ValidationError', message: 'Body must not be larger' }, 'model-refused'],
  [{ kind: 'status', status: 400, code: 'ExpiredTokenException' }, 'bad-model'],
] as const)('%j is %s', async (fault, code) => {
  fake.vectors.faults.push(fault)
  await expect(create().embed(['text'], 'document')).rejects.toMatchObject({ code })
})

test('an endpoint that is not there, and a region that nobody named, are for the operator', async () => {
  await expect(create('other').embed(['text'], 'document')).rejects.toMatchObject({ code: 'bad-model', message: expect.stringContaining('SAGEMAKER_EMBEDDING_ENDPOINT') as string })
  const lost = createSagemakerEmbedder('bge-m3', { endpoint: 'bge-m3', client: { ...client(), region: (() => Promise.reject(new Error('Region is missing'))) as never } })
  await expect(holdEmbedder(lost).embed(['text'], 'document')).rejects.toMatchObject({ code: 'bad-model', message: expect.stringContaining('AWS_REGION') as string })
})

test('a request is signed, and the space is that of the model wherever it is served', async () => {
  const embedder = create()
  await embedder.embed(['text'], 'document')
  expect(fake.headers.at(-1)!.authorization).toContain('AKIDTEST')
  expect(fake.headers.at(-1)!.authorization).toContain('/eu-central-1/sagemaker/')
  expect(embedder.space).toBe('bge-m3/1024')
})
