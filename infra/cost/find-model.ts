import { NuraError } from '#db/nura-error.ts'
import { findFacts } from '#server/models/prices.ts'
import type { ModelFacts } from '#server/models/prices.ts'
import type { CostOption } from './load.ts'

/** What answers unless another is named: the local chat model, else the cheapest by the token that the line-up of `server/models/line-ups.ts` asks first for an agent. */
const usual: Record<CostOption, string> = {
  own: 'openai:meta-llama/Llama-3.1-70B-Instruct',
  host: 'openai:gpt-4.1',
  aws: 'bedrock:us.meta.llama3-1-70b-instruct-v1:0',
}

/**
 * The model that a bill is for, with its facts.
 * @throws NuraError `usage` for one whose price is not known, or that the option cannot have
 */
export function findModel(option: CostOption, name: string | null): { id: string; facts: ModelFacts } {
  const id = name ?? usual[option]
  const facts = findFacts(id)
  if (facts === null) {
    throw new NuraError('usage', `no price is known of the model "${id}". Name it as provider:model, such as ${usual.host} or ${usual.aws}; or add its limits and its price to server/models/prices.ts`)
  }
  const isFree = facts.price.input + facts.price.output === 0
  if (option === 'own' && !isFree) throw new NuraError('usage', `${id} is paid by the token and does not run on a server of one's own. Take --option host or --option aws, or leave --model out`)
  if (option !== 'own' && isFree) throw new NuraError('usage', `${id} costs nothing only on GPUs of one's own. Take --option own, or a model that is paid by the token, such as ${usual[option]}`)
  return { id, facts }
}
