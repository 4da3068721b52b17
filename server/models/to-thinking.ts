import type { ModelFacts } from './prices.ts'

/** Fields of a request to a Claude, by whatever way it is reached. */
export type ThinkingFields = { thinking?: { type: 'disabled' | 'between_tools' }; output_config?: { effort: 'low' } }

/** What keeps a Claude from thinking before it speaks, as far as it can be kept from it: who asks waits for the first word. */
export function toThinking({ thinking }: ModelFacts): ThinkingFields {
  if (thinking === undefined) return {}
  return thinking === 'always' ? { output_config: { effort: 'low' } } : { thinking: { type: thinking } }
}

/** Tokens that a model which cannot but think may think, at the least effort. */
const roomToThink = 2_000

/** @returns the most tokens that a model may be allowed to write so that the answer may have `wanted`. */
export function toMaxTokens(wanted: number, { outputTokens, thinking }: ModelFacts): number {
  return Math.min(wanted + (thinking === 'always' ? roomToThink : 0), outputTokens)
}
