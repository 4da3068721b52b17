import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { NuraError } from '#db/nura-error.ts'
import { webhookEvidence } from '../testing/evidence.ts'
import { startFakeBedrock } from '../testing/fake-bedrock.ts'
import type { BedrockFault, FakeBedrock } from '../testing/fake-bedrock.ts'
import { citing } from '../testing/fake-model.ts'
import { modelContract } from '../testing/model-contract.ts'
import type { ModelFault } from '../testing/model-contract.ts'
import { withoutKeys } from '../testing/without-keys.ts'
import { createBedrock } from './bedrock.ts'
import type { ChatEvent, ChatMessage, ChatModel } from './chat-model.ts'
import { createModels, toChain } from './index.ts'

const llama = 'meta.llama3-1-70b-instruct-v1:0'
const imported = 'arn:aws:bedrock:eu-west-1:123456789012:imported-model/abc123'

const wire: Record<ModelFault, BedrockFault> = {
  'a server that never answers': { kind: 'hang' },
  'a server that falls silent while it speaks': { kind: 'hang', after: 3 },
  'an answer that never ends': { kind: 'slow', ms: 300 },
  'a rate limit of 30 s': { kind: 'status', status: 429, code: 'ThrottlingException', retryAfter: '30' },
  'a server in trouble': { kind: 'status', status: 503, code: 'ServiceUnavailableException' },
  'a refused key': { kind: 'status', status: 403, code: 'UnrecognizedClientException' },
  'a model that is not there': { kind: 'status', status: 404, code: 'ResourceNotFoundException' },
  'a prompt that is too long': { kind: 'status', status: 400, code: 'ValidationException', message: 'Input is too long for requested model.' },
  'a connection that is cut': { kind: 'cut', after: 3 },
  'a stream that ends early': { kind: 'end', after: 3 },
  'a frame that cannot be read': { kind: 'malformed', after: 3 },
  'an answer without a word': { kind: 'empty' },
  'an answer of many megabytes': { kind: 'flood', bytes: 50_000_000 },
}

let fake: FakeBedrock
beforeAll(async () => void (fake = await startFakeBedrock()))
beforeEach(() => {
  for (const key of Object.keys(process.env).filter((name) => name.startsWith('AWS_'))) vi.stubEnv(key, undefined)
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIATEST')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret-canary')
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent/config')
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent/credentials')
  return () => vi.unstubAllEnvs()
})
afterAll(() => fake.close())

const create = (model = llama) => createBedrock(model, { region: 'us-east-1', baseUrl: fake.url })

modelContract('bedrock', () => create(), {
  isDeterministic: true,
  rig: () => ({
    cause: (fault) => void (fake.fault = fault && wire[fault]),
    calls: () => fake.requests.length,
    isAborted: () => fake.requests.at(-1)!.aborted,
  }),
})

const where: ChatMessage[] = [{ role: 'user', content: 'Where?' }]
const toRequest = (messages = where, maxOutputTokens = 500) => ({ agent: 'dev', system: 'Be short.', messages, evidence: webhookEvidence('Where?'), maxOutputTokens })

async function ask(model: ChatModel, messages?: ChatMessage[], maxOutputTokens?: number): Promise<ChatEvent[]> {
  const events: ChatEvent[] = []
  for await (const event of model.stream(toRequest(messages, maxOutputTokens), new AbortController().signal)) events.push(event)
  return events
}

async function failWith(fault: BedrockFault, model = create()): Promise<NuraError> {
  fake.faults.push(fault)
  const error = await ask(model).then(() => null, (thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(NuraError)
  expect(JSON.stringify([String(error), String((error as Error).cause)])).not.toContain('canary')
  return error as NuraError
}

describe('a request', () => {
  test('carries our words, the conversation and the most tokens, signed for its region', async () => {
    await ask(create())
    expect(fake.requests.at(-1)!.key).toBe('AKIATEST')
    expect(fake.requests.at(-1)!.body).toEqual({
      modelId: llama, streamed: true, region: 'us-east-1', system: [{ text: 'Be short.' }], inferenceConfig: { maxTokens: 500 },
      messages: [{ role: 'user', content: [{ text: 'Where?' }] }],
    })
  })

  test('never asks for more than the model writes', async () => {
    await ask(create(), where, 1_000_000)
    expect(fake.requests.at(-1)!.body.inferenceConfig).toEqual({ maxTokens: 2_048 })
  })

  test('begins with a user, alternates and has no blank message, whatever the thread was', async () => {
    await ask(create(), [{ role: 'assistant', content: 'Hello.' }, { role: 'user', content: 'One' }, { role: 'assistant', content: '' }, { role: 'user', content: 'Two' }])
    expect(fake.requests.at(-1)!.body.messages).toEqual([{ role: 'user', content: [{ text: 'One\n\nTwo' }] }])
  })

  test('keeps a Claude from thinking before it speaks', async () => {
    await ask(create('global.anthropic.claude-sonnet-5'))
    expect(fake.requests.at(-1)!.body.additionalModelRequestFields).toEqual({ thinking: { type: 'disabled' } })
  })

  test('for an imported model goes to the region of its ARN', async () => {
    await ask(create(imported))
    expect(fake.requests.at(-1)!.body).toMatchObject({ modelId: imported, region: 'eu-west-1' })
  })

  test('goes where the environment of the AWS SDK says', async () => {
    vi.stubEnv('AWS_REGION', 'ap-south-1')
    vi.stubEnv('AWS_ENDPOINT_URL_BEDROCK_RUNTIME', fake.url)
    await ask(createBedrock(llama, { region: null, baseUrl: null }))
    expect(fake.requests.at(-1)!.body.region).toBe('ap-south-1')
  })

  test('is made once, whatever the environment says about attempts', async () => {
    vi.stubEnv('AWS_MAX_ATTEMPTS', '5')
    const before = fake.requests.length
    await failWith({ kind: 'status', status: 500 })
    expect(fake.requests.length - before).toBe(1)
  })
})

describe('an answer', () => {
  test('reports what it used', async () => {
    expect((await ask(create())).at(-1)).toEqual({ kind: 'usage', inputTokens: 900, outputTokens: 60 })
  })

  test('adds up to what the server counted', async () => {
    const counting = await startFakeBedrock()
    counting.usage = 'counted'
    const model = createBedrock(llama, { region: 'us-east-1', baseUrl: counting.url })
    const events = [...(await ask(model)), ...(await ask(model, [{ role: 'user', content: 'Where is it?' }]))]
    const sum = (key: 'inputTokens' | 'outputTokens') => events.reduce((total, event) => total + (event.kind === 'usage' ? event[key] : 0), 0)
    expect({ inputTokens: sum('inputTokens'), outputTokens: sum('outputTokens') }).toEqual(counting.reported)
    expect(counting.reported).toEqual({ inputTokens: 3 + 5, outputTokens: 2 * citing.split(/\s+/).filter(Boolean).length })
    await counting.close()
  })

  test('that is declined is for another model', async () => {
    expect(await failWith({ kind: 'refusal', after: 0 })).toMatchObject({ code: 'model-refused', retryable: false })
  })
})

describe('a model that gives its answer as a whole, and takes no system text', () => {
  const plain = () => createBedrock('test.plain-v1:0', { region: 'us-east-1', baseUrl: fake.url }, { inputTokens: 4_000, outputTokens: 400, price: { input: 1, output: 2 }, streams: false, system: false })

  test('is asked so, with our words first', async () => {
    expect(await ask(plain())).toEqual([{ kind: 'text', text: citing }, { kind: 'usage', inputTokens: 900, outputTokens: 60 }])
    expect(fake.requests.at(-1)!.body).toEqual({
      modelId: 'test.plain-v1:0', streamed: false, region: 'us-east-1', inferenceConfig: { maxTokens: 400 }, messages: [{ role: 'user', content: [{ text: 'Be short.\n\nWhere?' }] }],
    })
    expect(plain()).toMatchObject({ streams: false, limits: { inputTokens: 4_000 } })
  })

  test.each<[BedrockFault, string]>([
    [{ kind: 'status', status: 429, code: 'ThrottlingException' }, 'model-unavailable'],
    [{ kind: 'cold' }, 'model-cold'],
    [{ kind: 'refusal', after: 0 }, 'model-refused'],
  ])('fails by %j as others do', async (fault, code) => {
    fake.reply = () => (fault.kind === 'refusal' ? '' : citing)
    expect(await failWith(fault, plain())).toMatchObject({ code })
    fake.reply = () => citing
  })
})

describe('a failure', () => {
  const status = (code: string, message: string, number = 400): BedrockFault => ({ kind: 'status', status: number, code, message })

  test.each<[BedrockFault, string, string]>([
    [{ kind: 'cold' }, 'model-cold', 'is starting'],
    [status('ModelTimeoutException', 'The request took too long', 408), 'model-unavailable', 'failed'],
    [status('ModelErrorException', 'The model failed', 424), 'model-unavailable', 'failed'],
    [status('ServiceQuotaExceededException', 'Too many tokens'), 'model-unavailable', 'too often'],
    [status('AccessDeniedException', "You don't have access to the model with the specified model ID.", 403), 'bad-model', 'bedrock:InvokeModel'],
    [status('ExpiredTokenException', 'The security token included in the request is expired', 403), 'bad-model', 'AWS_SESSION_TOKEN'],
    [status('InvalidSignatureException', 'Signature not yet current', 403), 'bad-model', 'clock'],
    [status('ResourceNotFoundException', 'Model not found', 404), 'bad-model', 'AWS_REGION'],
    [status('ResourceNotFoundException', 'This model version has reached the end of its life.', 404), 'bad-model', 'name'],
    [status('ValidationException', 'The provided model identifier is invalid.'), 'bad-model', 'us. or global.'],
    [status('ValidationException', 'This model has reached its end of life.'), 'bad-model', 'retired'],
    [status('ValidationException', 'Invocation of model ID x with on-demand throughput isn’t supported.'), 'bad-model', 'us. or global.'],
    [status('ValidationException', "This model doesn't support system messages."), 'bad-model', 'does not serve'],
    [status('ValidationException', 'The maximum tokens you requested exceeds the model limit.'), 'model-refused', 'shorter'],
    [status('ANameMadeSince', 'x', 500), 'model-unavailable', 'failed'],
    [status('ANameMadeSince', 'x', 418), 'model-refused', 'shorter'],
  ])('%j is %s', async (fault, code, words) => {
    const error = await failWith(fault)
    expect(error).toMatchObject({ code, message: expect.stringContaining(words) })
    expect(String(error.cause)).toContain('request req-fake')
  })

  test.each([
    ['modelStreamErrorException', 'model-unavailable'],
    ['throttlingException', 'model-unavailable'],
    ['internalServerException', 'model-unavailable'],
    ['validationException', 'model-refused'],
    ['aNameMadeSinceException', 'model-unavailable'],
  ])('inside the stream, %s, is %s', async (code, expected) => {
    expect(await failWith({ kind: 'error-frame', after: 2, code })).toMatchObject({ code: expected })
  })

  test('of a server that is not there can be tried again', async () => {
    const gone = await startFakeBedrock()
    await gone.close()
    const away = createBedrock(llama, { region: 'us-east-1', baseUrl: gone.url })
    await expect(ask(away)).rejects.toMatchObject({ code: 'model-unavailable', retryable: true, cause: expect.objectContaining({ message: 'ECONNREFUSED' }) })
  })

  test('without credentials names what to set', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined)
    await expect(ask(create())).rejects.toMatchObject({ code: 'bad-model', message: expect.stringContaining('AWS_PROFILE') })
  })

  test('without a region names it', async () => {
    await expect(ask(createBedrock(llama, { region: null, baseUrl: fake.url }))).rejects.toMatchObject({ code: 'bad-model', message: expect.stringContaining('set AWS_REGION') })
  })
})

describe('the connection', () => {
  const open = async () => await expect.poll(() => fake.sessions.size).toBe(0)

  test('is closed after an answer', async () => {
    await ask(create())
    await open()
    expect(fake.requests.at(-1)!.aborted).toBe(false)
  })

  test('is closed when nobody reads on', async () => {
    fake.faults.push({ kind: 'hang', after: 3 })
    for await (const event of create().stream(toRequest(), new AbortController().signal)) if (event.kind === 'text') break
    await open()
    expect(fake.requests.at(-1)!.aborted).toBe(true)
  })

  test.each<BedrockFault>([{ kind: 'hang' }, { kind: 'hang', after: 0 }])('is closed by an abort before the first word: %j', async (fault) => {
    fake.faults.push(fault)
    const before = fake.requests.length
    const stop = new AbortController()
    const reason = new Error('stopped')
    const answer = (async () => {
      for await (const event of create().stream(toRequest(), stop.signal)) expect(event).toBeNull()
    })()
    await expect.poll(() => fake.requests.length).toBe(before + 1)
    stop.abort(reason)
    await expect(answer).rejects.toBe(reason)
    await open()
    expect(fake.requests.at(-1)!.aborted).toBe(true)
  })

  test('keeps no process alive', async () => {
    const script = `import { createBedrock } from ${JSON.stringify(`${import.meta.dirname}/bedrock.ts`)}
      const model = createBedrock(${JSON.stringify(llama)}, { region: 'us-east-1', baseUrl: ${JSON.stringify(fake.url)} })
      for await (const event of model.stream(${JSON.stringify(toRequest())}, new AbortController().signal)) console.log(event.kind)`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { timeout: 100_000 })
    expect(stdout).toMatch(/usage\n$/)
  })
})

describe('a name in a chain', () => {
  test.each([
    [`bedrock:${llama}`, llama, null],
    [`bedrock:us.${llama}@http://127.0.0.1:8000`, `us.${llama}`, 'http://127.0.0.1:8000'],
    [`bedrock:${imported}`, imported, null],
    [`bedrock:${imported}@https://proxy.example/bedrock`, imported, 'https://proxy.example/bedrock'],
  ])('%s', (text, model, baseUrl) => {
    expect(toChain(`${text}, extractive:default`, 'DEV_MODELS')[0]).toEqual({ provider: 'bedrock', model, baseUrl })
  })

  test('is refused at start only where no region can be found', () => {
    const open = (model: string, bedrock: { region: string | null; hasProfile: boolean }) => createModels(toChain(`bedrock:${model}`, 'DEV_MODELS'), { ...withoutKeys, bedrock })
    expect(() => open(llama, { region: null, hasProfile: false })).toThrow(`bedrock:${llama} needs AWS_REGION; set it to the region whose models you use`)
    expect(() => open(`${llama}@http://127.0.0.1:8000`, { region: null, hasProfile: false })).toThrow('needs AWS_REGION')
    expect(open(llama, { region: 'us-east-1', hasProfile: false })).toHaveLength(1)
    expect(open(llama, { region: null, hasProfile: true })).toHaveLength(1)
    expect(open(imported, { region: null, hasProfile: false })).toHaveLength(1)
  })
})

describe('a Bedrock API key', () => {
  test('goes where the environment says', async () => {
    vi.stubEnv('AWS_BEARER_TOKEN_BEDROCK', 'bearer-of-bedrock')
    vi.stubEnv('AWS_ENDPOINT_URL_BEDROCK_RUNTIME', fake.url)
    await ask(createBedrock(llama, { region: 'us-east-1', baseUrl: null }))
    expect(fake.requests.at(-1)!.key).toBe('bearer-of-bedrock')
  })

  test('goes to no server that a chain names', async () => {
    vi.stubEnv('AWS_BEARER_TOKEN_BEDROCK', 'bearer-canary')
    await ask(create())
    expect(fake.requests.at(-1)!.key).toBe('AKIATEST')
    expect(JSON.stringify(fake.requests.at(-1)!.headers)).not.toContain('canary')
  })
})
