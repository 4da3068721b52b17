import { describe, expect, it } from 'vitest'
import { readEnv } from '#db/read-env.ts'
import { toJobsConfig } from '#jobs/config.ts'
import { isLoopback, readServerConfig, serverEnv, toServerConfig } from './config.ts'

const secret = 's'.repeat(32)
const read = (env: Record<string, string>) => toServerConfig({ ...env, ...readEnv(serverEnv, env) })

describe('toServerConfig', () => {
  it('is local, on loopback and without keys, when nothing is set', () => {
    expect(toServerConfig(readEnv(serverEnv, {}))).toMatchObject({
      host: '127.0.0.1',
      port: 3000,
      serviceSecret: null,
      tenant: 'local',
      allowLocalRepositories: true,
      models: { dev: [{ provider: 'extractive', model: 'default', baseUrl: null }], embedding: [{ provider: 'lexical', model: 'default', baseUrl: null }] },
    })
  })

  it('names every faulty key at once, each with its fix, and shows no value', () => {
    const faulty = { PORT: 'http', LOG_LEVEL: 'loud', NURA_SERVICE_SECRET: 'too-short-canary', NURA_TENANT: 'Big Corp', DEV_MODELS: 'gpt', EMBEDDING_MODELS: 'voyage:x', RERANKER_MODELS: 'tei:x', SAGEMAKER_EMBEDDING_ENDPOINT: 'https://canary', NURA_MODELS: 'staging' }
    expect(() => readEnv(serverEnv, faulty)).toThrow(expect.objectContaining({ code: 'bad-environment' }))
    const message = messageOf(() => readEnv(serverEnv, faulty))
    for (const key of Object.keys(faulty)) expect(message).toContain(`  ${key}: `)
    expect(message).toContain('openssl rand')
    expect(message).not.toContain('canary')
  })

  it.each([
    [{ DATABASE_URL: 'postgres://x' }, 'NURA_SERVICE_SECRET: is required because DATABASE_URL is set'],
    [{ SLACK_BOT_TOKEN: 'xoxb-1', GITHUB_APP_ID: '1' }, 'because SLACK_BOT_TOKEN, GITHUB_APP_ID is set'],
    [{ HOST: '0.0.0.0' }, 'HOST: without NURA_SERVICE_SECRET'],
    [{ NURA_TENANT: 'acme' }, 'NURA_TENANT: without NURA_SERVICE_SECRET'],
  ])('refuses %j without a secret, and takes it with one', (env, fault) => {
    expect(messageOf(() => read(env))).toContain(fault)
    expect(read({ ...env, NURA_SERVICE_SECRET: secret }).allowLocalRepositories).toBe(false)
  })

  it('names the key that a model needs, for each chain that names the model', () => {
    const message = messageOf(() => read({ DEV_MODELS: 'openai:gpt-4.1, extractive:default', ARCHITECT_MODELS: 'openai:gpt-5', HOST: '0.0.0.0' }))
    expect(message).toContain('  DEV_MODELS: openai:gpt-4.1 needs OPENAI_API_KEY; set it, or name a server that asks for none')
    expect(message).toContain('  ARCHITECT_MODELS: openai:gpt-5 needs OPENAI_API_KEY')
    expect(message).toContain('  HOST: ')
  })

  it('reads embedders and rerankers, and names what an embedder lacks', () => {
    const env = { EMBEDDING_MODELS: 'sagemaker:bge-m3, openai:text-embedding-3-large', RERANKER_MODELS: 'tei:BAAI/bge-reranker-v2-m3@http://reranker:8080' }
    const message = messageOf(() => read(env))
    expect(message).toContain('  EMBEDDING_MODELS: sagemaker:bge-m3 needs SAGEMAKER_EMBEDDING_ENDPOINT; set it')
    expect(message).toContain('  EMBEDDING_MODELS: openai:text-embedding-3-large needs OPENAI_API_KEY; set it')
    const { models, embedderSettings } = read({ ...env, SAGEMAKER_EMBEDDING_ENDPOINT: 'bge-m3', OPENAI_API_KEY: 'sk-1' })
    expect(models.embedding).toEqual([{ provider: 'sagemaker', model: 'bge-m3', baseUrl: null }, { provider: 'openai', model: 'text-embedding-3-large', baseUrl: null }])
    expect(models.reranker).toEqual([{ provider: 'tei', model: 'BAAI/bge-reranker-v2-m3', baseUrl: 'http://reranker:8080' }])
    expect(embedderSettings).toEqual({ openai: { apiKey: 'sk-1', baseUrl: 'https://api.openai.com/v1' }, sagemaker: { endpoint: 'bge-m3' } })
    expect(read({ EMBEDDING_MODELS: 'openai:BAAI/bge-m3@http://tei:8080/v1' }).models.reranker).toEqual([])
  })

  it('asks for no key of a server with an address of its own, and keeps the key with the base URL', () => {
    expect(read({ DEV_MODELS: 'openai:qwen@http://127.0.0.1:8000/v1' }).modelSettings).toMatchObject({ openai: { apiKey: null, baseUrl: 'https://api.openai.com/v1' } })
    const env = { DEV_MODELS: 'openai:gpt-4.1', OPENAI_API_KEY: 'sk-1', OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' }
    expect(toServerConfig(readEnv(serverEnv, env)).modelSettings).toMatchObject({ openai: { apiKey: 'sk-1', baseUrl: 'http://127.0.0.1:9/v1' } })
  })

  it('takes a deployment option for the chains that no key names', () => {
    const config = readServerConfig({ NURA_MODELS: 'development', OPENAI_API_KEY: 'sk-1', PM_MODELS: 'extractive:default', EMBEDDING_MODELS: 'lexical:default' })
    const gpt = [{ provider: 'openai', model: 'gpt-4.1', baseUrl: null }]
    expect(config.models).toMatchObject({ dev: gpt, architect: gpt, pm: [{ provider: 'extractive' }], embedding: [{ provider: 'lexical' }] })
    expect(config.modelSources).toMatchObject({ dev: 'line-up', pm: 'environment' })
    expect(config.lineUp).toMatchObject({ option: 'development', leftOut: [{ because: 'ANTHROPIC_API_KEY is not set' }] })
  })

  it('names the keys that a deployment option cannot do without', () => {
    const message = messageOf(() => readServerConfig({ NURA_MODELS: 'enterprise', EMBEDDING_MODELS: 'lexical:default', HOST: '0.0.0.0' }))
    expect(message).toContain('  NURA_MODELS: enterprise leaves Dev without a model. Set what one of its models needs (NURA_MODEL_CODE_BEDROCK, AWS_REGION, AWS_PROFILE, OPENAI_API_KEY)')
    expect(message).toContain('  NURA_MODELS: enterprise leaves Architect without a model')
    expect(message).toContain('  HOST: ')
  })

  it('keeps the key of Anthropic with its base URL, and asks for none of a server with an address of its own', () => {
    const env = { DEV_MODELS: 'anthropic:claude-opus-5', ANTHROPIC_API_KEY: 'sk-1', ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' }
    expect(read(env).modelSettings.anthropic).toEqual({ apiKey: 'sk-1', baseUrl: 'http://127.0.0.1:9' })
    expect(read({ DEV_MODELS: 'anthropic:claude@http://127.0.0.1:8000' }).modelSettings.anthropic).toEqual({ apiKey: null, baseUrl: 'https://api.anthropic.com' })
    expect(messageOf(() => read({ DEV_MODELS: 'anthropic:claude-opus-5' }))).toContain('  DEV_MODELS: anthropic:claude-opus-5 needs ANTHROPIC_API_KEY; set it')
  })

  it('asks for a region of AWS only where none can be found', () => {
    const chain = { DEV_MODELS: 'bedrock:meta.llama3-1-70b-instruct-v1:0' }
    const nowhere = { AWS_CONFIG_FILE: '/nonexistent/config', AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials' }
    expect(messageOf(() => read({ ...chain, ...nowhere }))).toContain('  DEV_MODELS: bedrock:meta.llama3-1-70b-instruct-v1:0 needs AWS_REGION; set it')
    expect(read({ ...chain, ...nowhere, AWS_REGION: 'us-east-1', AWS_DEFAULT_REGION: 'us-west-2' }).modelSettings.bedrock).toEqual({ region: 'us-east-1', hasProfile: false })
    expect(read({ ...chain, ...nowhere, AWS_DEFAULT_REGION: 'us-west-2' }).modelSettings.bedrock.region).toBe('us-west-2')
    expect(read({ ...chain, ...nowhere, AWS_CONFIG_FILE: import.meta.filename }).modelSettings.bedrock).toEqual({ region: null, hasProfile: true })
  })

  it.each(['0', '-5', '1.5', 'many'])('refuses %s as the tokens of a day', (tokens) => {
    expect(messageOf(() => readEnv(serverEnv, { NURA_DAY_TOKENS: tokens }))).toContain('  NURA_DAY_TOKENS: must be ')
  })

  it('has no limit of tokens unless one is set', () => {
    expect(toServerConfig(readEnv(serverEnv, {})).dayTokens).toBeNull()
    expect(toServerConfig(readEnv(serverEnv, { NURA_DAY_TOKENS: '2000000' })).dayTokens).toBe(2_000_000)
  })

  it('tells LangSmith nothing unless it is switched on, and then no content unless that is asked for', () => {
    expect(read({ LANGSMITH_API_KEY: 'k' }).langsmith).toBeNull()
    expect(read({ LANGSMITH_API_KEY: 'k', LANGSMITH_TRACING: 'true' }).langsmith).toEqual({ endpoint: 'https://api.smith.langchain.com', apiKey: 'k', project: 'nura', showsContent: false })
    expect(read({ LANGSMITH_API_KEY: 'k', LANGSMITH_TRACING: 'true', NURA_LANGSMITH_CONTENT: 'show' }).langsmith?.showsContent).toBe(true)
    expect(messageOf(() => read({ LANGSMITH_TRACING: 'true' }))).toContain('  LANGSMITH_API_KEY: is required because LANGSMITH_TRACING is true')
  })

  it('lets an operator allow folders of the server', () => {
    expect(read({ NURA_SERVICE_SECRET: secret, NURA_LOCAL_REPOSITORIES: 'allow' }).allowLocalRepositories).toBe(true)
    expect(read({ NURA_LOCAL_REPOSITORIES: 'refuse' }).allowLocalRepositories).toBe(false)
  })
})

it.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['[::1]', true],
  ['::ffff:127.0.0.1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['127.0.0.1.example.com', false],
  ['localhost.example.com', false],
  ['', false],
])('isLoopback(%j) is %j', (host, expected) => expect(isLoopback(host)).toBe(expected))

it('keeps the hints of two data folders apart in one Redis', () => {
  const env = { REDIS_URL: 'redis://x' }
  const [a, b] = [toJobsConfig(env, { url: null, dataDir: '/a' }), toJobsConfig(env, { url: null, dataDir: '/b' })]
  expect(a.prefix).not.toBe(b.prefix)
  expect(toJobsConfig(env, { url: 'postgres://x', dataDir: '/a' }).prefix).toBe('nura')
})

function messageOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('did not throw')
}
