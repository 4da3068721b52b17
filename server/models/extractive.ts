import { findAgent } from '../agents/index.ts'
import { compose } from './extractive/compose.ts'
import type { ChatModel } from './chat-model.ts'

/**
 * The chat model without a model: it composes the answer from the evidence by rules, quotes what the sources say and claims
 * nothing else. No key, no network, the same answer every time.
 */
export function createExtractive(): ChatModel {
  return {
    id: 'extractive:default',
    limits: { inputTokens: 1_000_000, outputTokens: 1_000 },
    price: { input: 0, output: 0 },
    async *stream({ agent, evidence }, signal) {
      signal.throwIfAborted()
      const blocks = compose(evidence, findAgent(agent).lens)
      for (const [at, block] of blocks.entries()) {
        for (const [line, text] of block.split('\n').entries()) {
          signal.throwIfAborted()
          yield { kind: 'text', text: `${line > 0 ? '\n' : at > 0 ? '\n\n' : ''}${text}` }
        }
      }
      yield { kind: 'usage', inputTokens: 0, outputTokens: 0 }
    },
  }
}
