import { NuraError } from '#db/nura-error.ts'
import { createAnthropic } from './anthropic.ts'
import { createBedrock, toArnRegion } from './bedrock.ts'
import type { ChatModel } from './chat-model.ts'
import { createExtractive } from './extractive.ts'
import { gateModel } from './gate-model.ts'
import { createGate } from './gate.ts'
import type { GateOptions } from './gate.ts'
import { holdToLimits } from './hold-to-limits.ts'
import type { Deadlines } from './hold-to-limits.ts'
import { createOpenai } from './openai.ts'
import { findFacts } from './prices.ts'

/** What a chain names: `provider:model[@baseUrl]`. */
export type ModelName = { provider: string; model: string; baseUrl: string | null }

/** What providers need beside a name: keys and addresses, as the environment gave them. */
export type ModelSettings = {
  /** `baseUrl` is where the key belongs: it is sent to that origin and to no other. */
  openai: { apiKey: string | null; baseUrl: string }
  anthropic: { apiKey: string | null; baseUrl: string }
  /** Credentials are the AWS SDK's own business. `hasProfile`: there are files of the AWS SDK, which may name a region. */
  bedrock: { region: string | null; hasProfile: boolean }
}

/** Where chat models come from. A new one is a file and a line in `providers`. */
export type Provider = {
  readonly name: string
  /** False when its models are no language models and cost no tokens. */
  readonly usesTokens: boolean
  /** What the model needs and lacks, with the fix: completes «openai:gpt-4.1 needs …». */
  lacks?(name: ModelName, settings: ModelSettings): string | null
  /** @throws NuraError `bad-model` when the provider has no such model or lacks a setting */
  create(name: ModelName, settings: ModelSettings): ChatModel
}

/** THE list of providers of chat models. */
export const providers: readonly Provider[] = [
  { name: 'extractive', usesTokens: false, create: createOnly('default', createExtractive) },
  {
    name: 'openai',
    usesTokens: true,
    lacks: (name, { openai }) => lacksKey('OPENAI_API_KEY', name, openai),
    create({ model, baseUrl }, { openai }) {
      const apiKey = isAt(openai.baseUrl, baseUrl) ? openai.apiKey : null
      return createOpenai(model, { apiKey, baseUrl: baseUrl ?? openai.baseUrl, isOpenai: baseUrl === null })
    },
  },
  {
    name: 'anthropic',
    usesTokens: true,
    lacks: (name, { anthropic }) => lacksKey('ANTHROPIC_API_KEY', name, anthropic),
    create({ model, baseUrl }, { anthropic }) {
      return createAnthropic(model, { apiKey: isAt(anthropic.baseUrl, baseUrl) ? anthropic.apiKey : null, baseUrl: baseUrl ?? anthropic.baseUrl })
    },
  },
  {
    name: 'bedrock',
    usesTokens: true,
    // Whatever else the AWS SDK is given, it signs for a region; only a profile may hold one that is not seen here.
    lacks({ model }, { bedrock: { region, hasProfile } }) {
      return region === null && !hasProfile && toArnRegion(model) === null ? 'AWS_REGION; set it to the region whose models you use, such as us-east-1' : null
    },
    create: ({ model, baseUrl }, { bedrock: { region } }) => createBedrock(model, { region, baseUrl }),
  },
]

/** The chain that needs no key. */
export const defaultChain = 'extractive:default'

/**
 * Reads a chain such as `anthropic:claude-x@https://proxy, extractive:default`, first choice first.
 * @param field the environment key it came from, for the message.
 * @param known which providers it may name; those of chat models unless said
 * @throws NuraError `bad-model`
 */
export function toChain(text: string, field: string, known: KnownNames = { providers: providers.map(({ name }) => name), example: defaultChain }): ModelName[] {
  const names = text.split(',').map((part) => part.trim()).filter(Boolean)
  if (names.length === 0) throw new NuraError('bad-model', `${field} names no model. Write provider:model, for example ${known.example}.`, { field })
  return names.map((name) => toModelName(name, field, known))
}

/** Which providers a chain may name, and a chain to show where it is wrong. */
export type KnownNames = { providers: readonly string[]; example: string }

/** What the models of a process share. */
export type ModelParts = { settings: ModelSettings; log?: GateOptions['log']; deadlines?: Deadlines; gateTimes?: GateOptions['times'] }

/**
 * Opens models by name: one object a name, so that every chain that holds a model knows how it is. Language models are held to
 * their limits and asked through a gate.
 * @throws NuraError `bad-model` when a model is not there, or a key that it needs is not set
 */
export function createOpenModel({ settings, log = silent, deadlines, gateTimes: times }: ModelParts): (name: ModelName) => ChatModel {
  const open = new Map<string, ChatModel>()
  return (name) => {
    const key = `${toId(name)}@${name.baseUrl ?? ''}`
    const known = open.get(key)
    if (known) return known
    const [fault] = lackingKeys([name], settings)
    if (fault) throw new NuraError('bad-model', fault)
    const provider = findProvider(name.provider)
    const bare = provider.create(name, settings)
    const model = provider.usesTokens ? gateModel(holdToLimits(bare, deadlines), createGate(bare.id, { log, times, wake: (signal) => wake(bare, signal) })) : bare
    open.set(key, model)
    return model
  }
}

/** A chain of models that no other chain shares; see `createOpenModel`. */
export function createModels(chain: ModelName[], settings: ModelSettings): ChatModel[] {
  return chain.map(createOpenModel({ settings }))
}

const silent: GateOptions['log'] = { warn: () => undefined, info: () => undefined }

/** One token of an answer, which nobody reads. */
async function wake(model: ChatModel, signal: AbortSignal): Promise<void> {
  const evidence = { question: '', passages: [], symbols: [], relations: [] }
  const request = { agent: '', system: 'Answer with one word.', messages: [{ role: 'user' as const, content: 'Ready?' }], evidence, maxOutputTokens: 1 }
  for await (const event of model.stream(request, signal)) if (event.kind === 'text') return
}

/** What keeps a chain from being used: one sentence for each model that lacks something, with the fix. */
export function lackingKeys(chain: ModelName[], settings: ModelSettings): string[] {
  return chain.flatMap((name) => {
    const lack = findProvider(name.provider).lacks?.(name, settings)
    return lack ? [`${toId(name)} needs ${lack}`] : []
  })
}

/** Models whose limits and prices nobody has written down: their calls count as free. */
export function undescribed(chain: ModelName[]): string[] {
  return chain.filter(({ provider }) => findProvider(provider).usesTokens).map(toId).filter((id) => findFacts(id) === null)
}

/** Whether a model is a language model, which costs tokens. */
export function usesTokens({ id }: ChatModel): boolean {
  return !providers.some((provider) => !provider.usesTokens && id.startsWith(`${provider.name}:`))
}

/** The models of a chain that cost no tokens; the extractive model when it has none. */
export function withoutTokens(models: readonly ChatModel[]): readonly ChatModel[] {
  const free = models.filter((model) => !usesTokens(model))
  return free.length > 0 ? free : [createExtractive()]
}

/** `toChain` lets no other name through. */
function findProvider(name: string): Provider {
  return providers.find((provider) => provider.name === name)!
}

export function toId({ provider, model }: ModelName): string {
  return `${provider}:${model}`
}

function lacksKey(keyName: string, name: ModelName, { apiKey, baseUrl }: { apiKey: string | null; baseUrl: string }): string | null {
  if (apiKey !== null || !isAt(baseUrl, name.baseUrl)) return null
  return `${keyName}; set it, or name a server that asks for none: ${toId(name)}@https://…`
}

/** Whether a model without an address of its own, or with one on the same host, is where the key belongs. */
export function isAt(home: string, baseUrl: string | null): boolean {
  return baseUrl === null || URL.parse(baseUrl)?.origin === URL.parse(home)?.origin
}

function toModelName(text: string, field: string, { providers: known, example }: KnownNames): ModelName {
  const parsed = /^([a-z][a-z0-9-]*):([^\s@]+)(?:@(\S+))?$/.exec(text)
  if (!parsed) throw new NuraError('bad-model', `${field}: "${text.slice(0, 80)}" is not provider:model[@baseUrl], such as ${example}.`, { field })
  const [, provider, model, baseUrl = null] = parsed as unknown as [string, string, string, string | undefined]
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
