import { NuraError } from '#db/nura-error.ts'
import type { ChatModel } from './chat-model.ts'
import { createExtractive } from './extractive.ts'

/** What a chain names: `provider:model[@baseUrl]`. */
export type ModelName = { provider: string; model: string; baseUrl: string | null }

/** Where chat models come from. A new one is a file and a line in `providers`. */
export type Provider = {
  readonly name: string
  /** @throws NuraError `bad-model` when the provider has no such model or lacks a setting */
  create(name: ModelName): ChatModel
}

/** THE list of providers of chat models. */
export const providers: readonly Provider[] = [{ name: 'extractive', create: createOnly('default', createExtractive) }]

/** The chain that needs no key. */
export const defaultChain = 'extractive:default'

/**
 * Reads a chain such as `anthropic:claude-x@https://proxy, extractive:default`, first choice first.
 * @param field the environment key it came from, for the message.
 * @throws NuraError `bad-model`
 */
export function toChain(text: string, field: string): ModelName[] {
  const names = text.split(',').map((part) => part.trim()).filter(Boolean)
  if (names.length === 0) throw new NuraError('bad-model', `${field} names no model. Write provider:model, for example ${defaultChain}.`, { field })
  return names.map((name) => toModelName(name, field))
}

/** @throws NuraError `bad-model` */
export function createModels(chain: ModelName[]): ChatModel[] {
  return chain.map((name) => providers.find((provider) => provider.name === name.provider)!.create(name))
}

function toModelName(text: string, field: string): ModelName {
  const parsed = /^([a-z][a-z0-9-]*):([^\s@]+)(?:@(\S+))?$/.exec(text)
  if (!parsed) throw new NuraError('bad-model', `${field}: "${text.slice(0, 80)}" is not provider:model[@baseUrl], such as ${defaultChain}.`, { field })
  const [, provider, model, baseUrl = null] = parsed as unknown as [string, string, string, string | undefined]
  const known = providers.map((each) => each.name)
  if (!known.includes(provider)) throw new NuraError('bad-model', `${field}: there is no provider "${provider}". Use one of: ${known.join(', ')}.`, { field })
  if (baseUrl !== null && !/^https?:$/.test(URL.parse(baseUrl)?.protocol ?? '')) {
    throw new NuraError('bad-model', `${field}: the address after @ of ${provider}:${model} is not an http(s) URL.`, { field })
  }
  return { provider, model, baseUrl }
}

function createOnly(only: string, create: () => ChatModel): Provider['create'] {
  return ({ provider, model }) => {
    if (model !== only) throw new NuraError('bad-model', `${provider} has one model: ${provider}:${only}.`)
    return create()
  }
}
