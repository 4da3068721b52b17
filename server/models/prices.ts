/** What one model takes and costs. Tokens are the model's own; prices are US dollars for a million of them. */
export type ModelFacts = {
  inputTokens: number
  outputTokens: number
  price: { input: number; output: number }
  /** Absent where the provider can send the answer piece by piece, and where the model takes instructions apart from the conversation. */
  streams?: false
  system?: false
}

const sonnet: ModelFacts = { inputTokens: 936_000, outputTokens: 64_000, price: { input: 3, output: 15 } }
const opus: ModelFacts = { inputTokens: 136_000, outputTokens: 64_000, price: { input: 5, output: 25 } }
const haiku: ModelFacts = { inputTokens: 136_000, outputTokens: 64_000, price: { input: 1, output: 5 } }
const llama70: ModelFacts = { inputTokens: 120_000, outputTokens: 2_048, price: { input: 0.72, output: 0.72 } }

/**
 * The models whose limits and prices are known, by `provider:model`. List prices without discounts for cached input;
 * `inputTokens` leaves room for the output where a model counts both together.
 */
const facts: Readonly<Record<string, ModelFacts>> = {
  // On one's own GPUs, as docker-compose-models.yml serves them. CodeLlama 70B Instruct was trained on 4,096 tokens.
  'openai:codellama/CodeLlama-70b-Instruct-hf': { inputTokens: 3_000, outputTokens: 1_000, price: { input: 0, output: 0 } },
  'openai:meta-llama/Llama-3.1-70B-Instruct': { inputTokens: 28_000, outputTokens: 4_000, price: { input: 0, output: 0 } },
  'openai:gpt-5.4': { inputTokens: 272_000, outputTokens: 128_000, price: { input: 2.5, output: 15 } },
  'openai:gpt-5.4-mini': { inputTokens: 272_000, outputTokens: 128_000, price: { input: 0.75, output: 4.5 } },
  'openai:gpt-5.2': { inputTokens: 272_000, outputTokens: 128_000, price: { input: 1.75, output: 14 } },
  'openai:gpt-5': { inputTokens: 272_000, outputTokens: 128_000, price: { input: 1.25, output: 10 } },
  'openai:gpt-5-mini': { inputTokens: 272_000, outputTokens: 128_000, price: { input: 0.25, output: 2 } },
  'openai:gpt-5-nano': { inputTokens: 272_000, outputTokens: 128_000, price: { input: 0.05, output: 0.4 } },
  'openai:gpt-4.1': { inputTokens: 1_000_000, outputTokens: 32_768, price: { input: 2, output: 8 } },
  'openai:gpt-4.1-mini': { inputTokens: 1_000_000, outputTokens: 32_768, price: { input: 0.4, output: 1.6 } },
  'openai:gpt-4o': { inputTokens: 111_000, outputTokens: 16_384, price: { input: 2.5, output: 10 } },
  'anthropic:claude-sonnet-4-6': sonnet,
  'anthropic:claude-sonnet-4-5': { ...sonnet, inputTokens: 136_000 },
  'anthropic:claude-opus-4-6': opus,
  'anthropic:claude-opus-4-5': opus,
  'anthropic:claude-haiku-4-5': haiku,
  'bedrock:anthropic.claude-sonnet-4-6': sonnet,
  'bedrock:anthropic.claude-sonnet-4-5': { ...sonnet, inputTokens: 136_000 },
  'bedrock:anthropic.claude-haiku-4-5': haiku,
  'bedrock:meta.llama3-1-70b-instruct': llama70,
  'bedrock:meta.llama3-3-70b-instruct': llama70,
  'bedrock:meta.llama3-1-8b-instruct': { ...llama70, price: { input: 0.22, output: 0.22 } },
  'bedrock:mistral.mistral-7b-instruct': { inputTokens: 28_000, outputTokens: 4_000, price: { input: 0.15, output: 0.2 }, system: false },
  'bedrock:ai21.j2-ultra': { inputTokens: 7_000, outputTokens: 1_000, price: { input: 18.8, output: 18.8 }, streams: false, system: false },
  'openai:gpt-4o-mini': { inputTokens: 111_000, outputTokens: 16_384, price: { input: 0.15, output: 0.6 } },
}

/** What a model is taken for that nobody has described: small enough for every server of today, and free. */
export const unknownModel: ModelFacts = { inputTokens: 14_000, outputTokens: 2_000, price: { input: 0, output: 0 } }

/**
 * A model that an AWS account has imported: which one it is its ARN does not say, so it is taken for CodeLlama 70B, the smallest
 * of those that a line-up would have there. Its price is one of hours, not of tokens.
 */
const imported: ModelFacts = { inputTokens: 3_000, outputTokens: 1_000, price: { input: 0, output: 0 } }

/**
 * @param id `provider:model`; a dated release such as `openai:gpt-4.1-2025-04-14`, a version such as `-v1:0` and an inference
 * profile such as `bedrock:us.anthropic.…` have the facts of their model.
 */
export function findFacts(id: string): ModelFacts | null {
  const bare = id.replace(/^(bedrock:)(?:us|eu|apac|jp|au|global)\./, '$1').replace(/-v\d+(?::\d+)?$/, '').replace(/-(?:\d{8}|\d{4}-\d{2}-\d{2})$/, '')
  return facts[id] ?? facts[bare] ?? (/^bedrock:arn:.+:imported-model\//.test(id) ? imported : null)
}
