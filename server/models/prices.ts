/** What one model takes and costs. Tokens are the model's own; prices are US dollars for a million of them. */
export type ModelFacts = {
  inputTokens: number
  outputTokens: number
  price: { input: number; output: number }
  /** False when its provider gives an answer only as a whole. */
  streams?: false
  /** False when it takes no system text: ours then goes first in the first message. */
  system?: false
  /**
   * Of a model that thinks before it speaks unless it is told otherwise: the setting that keeps it from that, or `always` when
   * nothing does. Its thoughts are tokens of the answer that nobody reads, and come before the first word.
   */
  thinking?: 'disabled' | 'between_tools' | 'always'
}

/** Windows of a million and of 200,000 tokens, less what the answer may take. */
const large = { inputTokens: 872_000, outputTokens: 128_000 }
const medium = { inputTokens: 136_000, outputTokens: 64_000 }
/** Llama on Bedrock: a window of 128,000 tokens; its `max_gen_len` ends at 2,048. */
const llama = { inputTokens: 125_000, outputTokens: 2_048 }

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
  'openai:gpt-4o-mini': { inputTokens: 111_000, outputTokens: 16_384, price: { input: 0.15, output: 0.6 } },

  // platform.claude.com/docs/en/about-claude/pricing, and the page of each model under /docs/en/models.
  'anthropic:claude-fable-5-1': { ...large, price: { input: 10, output: 50 }, thinking: 'always' },
  'anthropic:claude-fable-5': { ...large, price: { input: 10, output: 50 }, thinking: 'always' },
  'anthropic:claude-opus-5-5': { ...large, price: { input: 4, output: 20 }, thinking: 'always' },
  'anthropic:claude-opus-5': { ...large, price: { input: 5, output: 25 }, thinking: 'disabled' },
  'anthropic:claude-opus-4-8': { ...large, price: { input: 5, output: 25 } },
  'anthropic:claude-opus-4-7': { ...large, price: { input: 5, output: 25 } },
  'anthropic:claude-opus-4-6': { ...large, price: { input: 5, output: 25 } },
  'anthropic:claude-opus-4-5': { ...medium, price: { input: 5, output: 25 } },
  'anthropic:claude-sonnet-5-5': { ...large, price: { input: 2, output: 10 }, thinking: 'between_tools' },
  'anthropic:claude-sonnet-5': { ...large, price: { input: 2, output: 10 }, thinking: 'disabled' },
  'anthropic:claude-sonnet-4-6': { ...large, price: { input: 3, output: 15 } },
  'anthropic:claude-sonnet-4-5': { ...medium, price: { input: 3, output: 15 } },
  // Its window is a million tokens, but a prompt over 100,000 costs five times as much: it is given no such prompt.
  'anthropic:claude-haiku-5-5': { inputTokens: 95_000, outputTokens: 128_000, price: { input: 0.1, output: 0.5 }, thinking: 'disabled' },
  'anthropic:claude-haiku-4-5': { ...medium, price: { input: 1, output: 5 } },

  // aws.amazon.com/bedrock/pricing, on demand in us-east-1 and us-west-2; limits from the model cards of the user guide.
  'bedrock:meta.llama3-1-70b-instruct': { ...llama, price: { input: 0.72, output: 0.72 } },
  'bedrock:meta.llama3-1-8b-instruct': { ...llama, price: { input: 0.22, output: 0.22 } },
  'bedrock:meta.llama3-3-70b-instruct': { ...llama, price: { input: 0.72, output: 0.72 } },
  // An imported model: which one it is its ARN does not say, so it is taken for CodeLlama 70B Instruct, as above. AWS bills its minutes, not its tokens: about 8 custom
  // model units of 0.0785 dollars a minute are 37.70 an hour; a copy that is busy, at some thousand tokens read and written a second,
  // makes 3.6 million tokens of it. One that idles costs more than is counted here.
  'bedrock:imported-model': { inputTokens: 3_000, outputTokens: 1_000, price: { input: 10.5, output: 10.5 } },
}

/** Claude on Bedrock costs what it costs at Anthropic when it may run anywhere, and a tenth more when it must stay in a region. */
const regionalSurcharge = 1.1

/** What a model is taken for that nobody has described: small enough for every server of today, and free. */
export const unknownModel: ModelFacts = { inputTokens: 14_000, outputTokens: 2_000, price: { input: 0, output: 0 } }

/**
 * @param id `provider:model`; a dated release such as `openai:gpt-4.1-2025-04-14` or `anthropic:claude-opus-4-5-20251101` has the
 * facts of its model, and so has a model of Bedrock with its version, behind an inference profile (`us.`, `global.`) or by its ARN.
 */
export function findFacts(id: string): ModelFacts | null {
  if (id.startsWith('bedrock:')) return findBedrockFacts(id.slice('bedrock:'.length))
  return facts[id] ?? facts[id.replace(/-(?:\d{4}-\d{2}-\d{2}|\d{8})$/, '')] ?? null
}

function findBedrockFacts(model: string): ModelFacts | null {
  if (/^arn:[^/]+:imported-model\//.test(model)) return facts['bedrock:imported-model']!
  const bare = model.replace(/^arn:[^/]+:(?:foundation-model|inference-profile)\//, '')
  const [, scope, rest] = /^(?:(us|us-gov|eu|apac|jp|au|ca|global)\.)?(.*)$/s.exec(bare)!
  const name = rest!.replace(/-v\d+(?::\d+)?$/, '').replace(/-\d{8}$/, '')
  if (!name.startsWith('anthropic.')) return facts[`bedrock:${name}`] ?? null
  const claude = facts[name.replace('.', ':')]
  return claude && scope !== 'global' ? { ...claude, price: { input: raise(claude.price.input), output: raise(claude.price.output) } } : (claude ?? null)
}

function raise(price: number): number {
  return Number((price * regionalSurcharge).toFixed(6))
}
