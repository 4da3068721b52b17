import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drawChains } from './draw-chains.ts'
import { chainKeys, lineUpModels, lineUpOptions, lineUps, toLineUp } from './line-ups.ts'
import type { LineUpModel } from './line-ups.ts'
import { findFacts } from './prices.ts'

const local = { NURA_CODE_MODEL_URL: 'http://gpu:8001/v1', NURA_CHAT_MODEL_URL: 'http://gpu:8002', NURA_EMBEDDING_URL: 'http://gpu:8003/', NURA_RERANKER_URL: 'http://gpu:8004' }
const keys = { OPENAI_API_KEY: 'sk-canary', ANTHROPIC_API_KEY: 'sk-ant-canary' }
const arn = 'arn:aws:bedrock:us-east-1:123456789012:imported-model/abc123'
const amazon = { AWS_REGION: 'us-east-1', SAGEMAKER_EMBEDDING_ENDPOINT: 'bge', NURA_MODEL_CODE_BEDROCK: arn }

describe('toLineUp', () => {
  it('has commercial models alone in development', () => {
    expect(toLineUp('development', keys)).toEqual({
      dev: 'openai:gpt-4.1, anthropic:claude-sonnet-4-6',
      pm: 'anthropic:claude-sonnet-4-6, openai:gpt-4.1',
      architect: 'anthropic:claude-sonnet-4-6, openai:gpt-4.1',
      embedding: 'openai:text-embedding-3-large',
      reranker: null,
      leftOut: [],
      faults: [],
    })
  })

  it('asks local models first in production, for addresses alone', () => {
    const { leftOut, ...chains } = toLineUp('production', local)
    expect(chains).toEqual({
      dev: 'openai:codellama/CodeLlama-70b-Instruct-hf@http://gpu:8001/v1',
      pm: 'openai:meta-llama/Llama-3.1-70B-Instruct@http://gpu:8002/v1',
      architect: 'openai:meta-llama/Llama-3.1-70B-Instruct@http://gpu:8002/v1',
      embedding: 'openai:BAAI/bge-m3@http://gpu:8003/v1',
      reranker: 'tei:BAAI/bge-reranker-v2-m3@http://gpu:8004',
      faults: [],
    })
    expect(leftOut.map(({ name, because }) => `${name}: ${because}`)).toEqual(['GPT on OpenAI: OPENAI_API_KEY is not set', 'Claude Sonnet: ANTHROPIC_API_KEY is not set'])
    expect(toLineUp('production', { ...local, ...keys }).dev).toBe('openai:codellama/CodeLlama-70b-Instruct-hf@http://gpu:8001/v1, openai:gpt-4.1, anthropic:claude-sonnet-4-6')
  })

  it('asks Bedrock in enterprise, has OpenAI behind the code model, and its embeddings as another space', () => {
    expect(toLineUp('enterprise', { ...amazon, ...keys })).toMatchObject({
      dev: `bedrock:${arn}, openai:gpt-4.1, bedrock:us.anthropic.claude-sonnet-4-6`,
      pm: 'bedrock:us.meta.llama3-1-70b-instruct-v1:0, bedrock:us.anthropic.claude-sonnet-4-6',
      architect: 'bedrock:us.anthropic.claude-sonnet-4-6, bedrock:us.meta.llama3-1-70b-instruct-v1:0',
      embedding: 'sagemaker:bge-m3, openai:text-embedding-3-large',
      leftOut: [],
    })
  })

  it('leaves CodeLlama on Bedrock out until its ARN is known, and says so', () => {
    const { dev, leftOut } = toLineUp('enterprise', { ...amazon, ...keys, NURA_MODEL_CODE_BEDROCK: ' ' })
    expect(dev).toBe('openai:gpt-4.1, bedrock:us.anthropic.claude-sonnet-4-6')
    expect(leftOut).toEqual([{ name: 'CodeLlama on Bedrock', because: 'NURA_MODEL_CODE_BEDROCK is not set', keys: ['NURA_MODEL_CODE_BEDROCK'], chains: ['dev'] }])
  })

  it('takes a profile for the region, and names either where both are missing', () => {
    expect(toLineUp('enterprise', { AWS_PROFILE: 'work' }).pm).toContain('bedrock:us.meta')
    expect(toLineUp('enterprise', {}).leftOut.find(({ name }) => name === 'Llama on Bedrock')?.because).toBe('AWS_REGION or AWS_PROFILE is not set')
  })

  it.each(Object.values(lineUpModels).map((model) => [model.key, model] as const))('replaces one id by %s, wherever it stands', (key, { provider }: LineUpModel) => {
    const everything = { ...local, ...keys, ...amazon, [key]: 'acme/own-model' }
    const texts = lineUpOptions.flatMap((option) => Object.keys(chainKeys).map((name) => toLineUp(option, everything)[name as keyof typeof chainKeys] ?? ''))
    expect(texts.filter((text) => text.includes(`${provider}:acme/own-model`)).length).toBeGreaterThan(0)
  })

  it.each([
    [{ NURA_CODE_MODEL_URL: 'gpu:8001' }, 'NURA_CODE_MODEL_URL: must be the http(s) URL'],
    [{ NURA_CHAT_MODEL_URL: 'http://a/v1,http://canary/v1' }, 'NURA_CHAT_MODEL_URL: must be the http(s) URL'],
    [{ NURA_MODEL_GPT: 'gpt-4.1, canary' }, 'NURA_MODEL_GPT: must be the id of one model'],
    [{ NURA_MODEL_SONNET: 'x@https://canary' }, 'NURA_MODEL_SONNET: must be the id of one model'],
  ])('refuses %j, without showing it', (env, fault) => {
    const { faults } = toLineUp('production', { ...local, ...keys, ...env })
    expect(faults).toEqual([expect.stringContaining(fault)])
    expect(faults.join()).not.toContain('canary')
  })

  it('never shows a value in what it says, and every chain is one that can be read', () => {
    const names = [...new Set(Object.values(lineUpModels).flatMap((model: LineUpModel) => [model.key, ...model.needs.flat(), ...(model.url ? [model.url.key] : [])]))]
    const environment = fc.dictionary(fc.constantFrom(...names), fc.oneof(fc.string(), fc.constantFrom('http://canary:1', 'canary/x', '', ' ', arn)), { noNullPrototype: true })
    fc.assert(
      fc.property(fc.constantFrom(...lineUpOptions), environment, (option, env) => {
        const { leftOut, faults, ...chains } = toLineUp(option, env)
        expect(JSON.stringify([leftOut, faults])).not.toContain('canary')
        for (const chain of Object.values(chains)) for (const part of chain?.split(', ') ?? []) expect(part).toMatch(/^[a-z]+:[^\s@]+(@https?:\/\/\S+)?$/i)
      }),
    )
  })
})

describe('drawChains', () => {
  it('fills what no key names, and knows where each chain comes from', () => {
    const drawn = drawChains({ NURA_MODELS: 'development', OPENAI_API_KEY: 'k', PM_MODELS: 'extractive:default' })
    expect(drawn.env).toMatchObject({ DEV_MODELS: 'openai:gpt-4.1', PM_MODELS: 'extractive:default', ARCHITECT_MODELS: 'openai:gpt-4.1', EMBEDDING_MODELS: 'openai:text-embedding-3-large' })
    expect(drawn.sources).toEqual({ dev: 'line-up', pm: 'environment', architect: 'line-up', embedding: 'line-up', reranker: 'default' })
    expect(drawn.lineUp).toMatchObject({ option: 'development', leftOut: [{ name: 'Claude Sonnet', because: 'ANTHROPIC_API_KEY is not set' }] })
    expect(drawn.faults).toEqual([])
  })

  it('names the keys that an agent without a model lacks, and no agent that has models of its own', () => {
    const { faults } = drawChains({ NURA_MODELS: 'production', NURA_CHAT_MODEL_URL: 'http://gpu:8002', DEV_MODELS: '' })
    expect(faults).toEqual(['NURA_MODELS: production leaves Dev without a model. Set what one of its models needs (NURA_CODE_MODEL_URL, OPENAI_API_KEY, ANTHROPIC_API_KEY), or name models in DEV_MODELS'])
    expect(drawChains({ NURA_MODELS: 'production', NURA_CHAT_MODEL_URL: 'http://gpu:8002', DEV_MODELS: 'extractive:default' }).faults).toEqual([])
  })

  it('speaks of no model whose chains are all named otherwise', () => {
    const named = { DEV_MODELS: 'extractive:default', PM_MODELS: 'extractive:default', ARCHITECT_MODELS: 'extractive:default', EMBEDDING_MODELS: 'lexical:default' }
    expect(drawChains({ NURA_MODELS: 'production', ...named }).lineUp?.leftOut.map(({ name }) => name)).toEqual(['the local reranker'])
  })

  it('changes nothing without an option', () => {
    const env = { DEV_MODELS: 'openai:gpt-4.1' }
    expect(drawChains(env)).toEqual({ lineUp: null, env, faults: [], sources: { dev: 'environment', pm: 'default', architect: 'default', embedding: 'default', reranker: 'default' } })
  })
})

it.each(['openai:codellama/CodeLlama-70b-Instruct-hf', `bedrock:${arn}`])('asks %s for no more than CodeLlama 70B can read and write', (id) => {
  const facts = findFacts(id)!
  expect(facts.inputTokens + facts.outputTokens).toBeLessThanOrEqual(4_096)
})

it('gives every agent a model and a second one in every option', () => {
  for (const option of lineUpOptions) for (const agent of ['dev', 'pm', 'architect'] as const) expect(lineUps[option][agent].length).toBeGreaterThan(1)
})

it('is documented key by key', () => {
  const documented = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8')
  for (const { key, id, url, needs } of Object.values(lineUpModels) as LineUpModel[]) {
    expect(documented).toContain(`| \`${key}\` | ${id === null ? 'none' : `\`${id}\``} |`)
    for (const each of [...needs.flat(), ...(url ? [url.key] : [])]) expect(documented).toContain(`\`${each}\``)
  }
})
