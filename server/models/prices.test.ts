import { describe, expect, test } from 'vitest'
import { undescribed, toChain } from './index.ts'
import { findFacts } from './prices.ts'

const priceOf = (id: string) => findFacts(id)?.price ?? null

describe('a name that says more than the model', () => {
  test.each([
    ['openai:gpt-4.1-2025-04-14', 'openai:gpt-4.1'],
    ['anthropic:claude-opus-4-5-20251101', 'anthropic:claude-opus-4-5'],
    ['bedrock:meta.llama3-1-70b-instruct-v1:0', 'bedrock:meta.llama3-1-70b-instruct'],
    ['bedrock:us.meta.llama3-3-70b-instruct-v1:0', 'bedrock:meta.llama3-3-70b-instruct'],
    ['bedrock:arn:aws:bedrock:us-east-1::foundation-model/meta.llama3-1-8b-instruct-v1:0', 'bedrock:meta.llama3-1-8b-instruct'],
    ['bedrock:arn:aws:bedrock:us-east-2:123456789012:inference-profile/us.meta.llama3-3-70b-instruct-v1:0', 'bedrock:meta.llama3-3-70b-instruct'],
    ['bedrock:arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:imported-model/abc123', 'bedrock:imported-model'],
    ['bedrock:global.anthropic.claude-sonnet-4-5-20250929-v1:0', 'anthropic:claude-sonnet-4-5'],
    ['bedrock:global.anthropic.claude-opus-4-6-v1', 'anthropic:claude-opus-4-6'],
  ])('%s has the facts of %s', (id, known) => {
    expect(findFacts(known)).not.toBeNull()
    expect(findFacts(id)).toEqual(findFacts(known))
  })

  test.each(['openai:gpt-9', 'anthropic:claude-2', 'bedrock:meta.llama9-v1:0', 'bedrock:us.anthropic.claude-2', 'bedrock:arn:aws:bedrock:us-east-1:1:provisioned-model/abc', 'bedrock:', 'anthropic:anthropic.claude-opus-5'])('%s is not known', (id) => {
    expect(findFacts(id)).toBeNull()
  })
})

test('Claude costs a tenth more where it must stay in a region', () => {
  expect(priceOf('anthropic:claude-haiku-5-5')).toEqual({ input: 0.1, output: 0.5 })
  expect(priceOf('bedrock:global.anthropic.claude-haiku-5-5')).toEqual({ input: 0.1, output: 0.5 })
  expect(priceOf('bedrock:us.anthropic.claude-haiku-5-5')).toEqual({ input: 0.11, output: 0.55 })
  expect(priceOf('bedrock:anthropic.claude-opus-4-6-v1')).toEqual({ input: 5.5, output: 27.5 })
  expect(findFacts('bedrock:us.anthropic.claude-sonnet-5-5')).toMatchObject({ thinking: 'between_tools', inputTokens: 872_000 })
})

test('the log at start names the models that are not described', () => {
  expect(undescribed(toChain('anthropic:claude-opus-5, bedrock:eu.anthropic.claude-opus-5, bedrock:amazon.nova-pro-v1:0, extractive:default', 'DEV_MODELS'))).toEqual(['bedrock:amazon.nova-pro-v1:0'])
})
