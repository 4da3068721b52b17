/** A model of a line-up, as data: what it is called, where it is asked, and which keys of the environment say so. */
export type LineUpModel = {
  /** For people: in the log, and where a key is missing. */
  readonly title: string
  readonly provider: string
  /** The environment key that replaces the id. */
  readonly key: string
  /** Null where only the operator knows it. */
  readonly id: string | null
  /** The environment key that holds the address of the operator's own server, and the path of its API when that names none. */
  readonly url?: { readonly key: string; readonly path: string }
  /** Keys without which it cannot be asked; of several in one place, one is enough. */
  readonly needs: readonly (readonly string[])[]
}

const openai = { provider: 'openai', needs: [['OPENAI_API_KEY']] } as const
// Credentials may come from the machine itself, the region from a profile.
const aws = [['AWS_REGION', 'AWS_PROFILE']] as const

/** THE list of models that line-ups are made of. */
export const lineUpModels = {
  gpt: { ...openai, title: 'GPT on OpenAI', key: 'NURA_MODEL_GPT', id: 'gpt-4.1' },
  sonnet: { title: 'Claude Sonnet', provider: 'anthropic', key: 'NURA_MODEL_SONNET', id: 'claude-sonnet-4-6', needs: [['ANTHROPIC_API_KEY']] },
  codeLocal: { title: 'the local code model', provider: 'openai', key: 'NURA_MODEL_CODE_LOCAL', id: 'codellama/CodeLlama-70b-Instruct-hf', url: { key: 'NURA_CODE_MODEL_URL', path: '/v1' }, needs: [] },
  chatLocal: { title: 'the local chat model', provider: 'openai', key: 'NURA_MODEL_CHAT_LOCAL', id: 'meta-llama/Llama-3.1-70B-Instruct', url: { key: 'NURA_CHAT_MODEL_URL', path: '/v1' }, needs: [] },
  // Bedrock does not offer CodeLlama itself: it is a model that the account has imported, known by its ARN.
  codeBedrock: { title: 'CodeLlama on Bedrock', provider: 'bedrock', key: 'NURA_MODEL_CODE_BEDROCK', id: null, needs: aws },
  chatBedrock: { title: 'Llama on Bedrock', provider: 'bedrock', key: 'NURA_MODEL_CHAT_BEDROCK', id: 'us.meta.llama3-1-70b-instruct-v1:0', needs: aws },
  sonnetBedrock: { title: 'Claude Sonnet on Bedrock', provider: 'bedrock', key: 'NURA_MODEL_SONNET_BEDROCK', id: 'us.anthropic.claude-sonnet-4-6', needs: aws },
  embeddingOpenai: { ...openai, title: 'embeddings of OpenAI', key: 'NURA_MODEL_EMBEDDING_OPENAI', id: 'text-embedding-3-large' },
  embeddingLocal: { title: 'the local embedding model', provider: 'openai', key: 'NURA_MODEL_EMBEDDING_LOCAL', id: 'BAAI/bge-m3', url: { key: 'NURA_EMBEDDING_URL', path: '/v1' }, needs: [] },
  embeddingSagemaker: { title: 'BGE-M3 on SageMaker', provider: 'sagemaker', key: 'NURA_MODEL_EMBEDDING_SAGEMAKER', id: 'bge-m3', needs: [['SAGEMAKER_EMBEDDING_ENDPOINT'], ...aws] },
  rerankerLocal: { title: 'the local reranker', provider: 'tei', key: 'NURA_MODEL_RERANKER_LOCAL', id: 'BAAI/bge-reranker-v2-m3', url: { key: 'NURA_RERANKER_URL', path: '' }, needs: [] },
} as const satisfies Record<string, LineUpModel>
type ModelRole = keyof typeof lineUpModels

/** What a line-up fills, each with the environment key that overrides it. */
export const chainKeys = { dev: 'DEV_MODELS', pm: 'PM_MODELS', architect: 'ARCHITECT_MODELS', embedding: 'EMBEDDING_MODELS', reranker: 'RERANKER_MODELS' } as const
export type ChainName = keyof typeof chainKeys

/** THE deployment options: who answers, first choice first. */
export const lineUps = {
  /** API keys only. */
  development: { dev: ['gpt', 'sonnet'], pm: ['sonnet', 'gpt'], architect: ['sonnet', 'gpt'], embedding: ['embeddingOpenai'], reranker: [] },
  /** Models on one's own GPUs, and commercial ones when those are away. */
  production: { dev: ['codeLocal', 'gpt', 'sonnet'], pm: ['chatLocal', 'sonnet', 'gpt'], architect: ['chatLocal', 'sonnet', 'gpt'], embedding: ['embeddingLocal'], reranker: ['rerankerLocal'] },
  /** Bedrock and SageMaker in one's own AWS account; OpenAI stands behind them where there is a key. Its embeddings are another space. */
  enterprise: { dev: ['codeBedrock', 'gpt', 'sonnetBedrock'], pm: ['chatBedrock', 'sonnetBedrock'], architect: ['sonnetBedrock', 'chatBedrock'], embedding: ['embeddingSagemaker', 'embeddingOpenai'], reranker: [] },
} as const satisfies Record<string, Record<ChainName, readonly ModelRole[]>>
export type LineUpOption = keyof typeof lineUps
export const lineUpOptions = Object.keys(lineUps) as [LineUpOption, ...LineUpOption[]]

/** A model that a line-up would have and this environment does not allow, with the keys that would. */
export type LeftOut = { name: string; because: string; keys: string[]; chains: ChainName[] }

/** Chains in the form that `DEV_MODELS` and its like have; null where nothing remains. `faults`: `KEY: what is wrong with it and how to mend it`. */
export type LineUp = Record<ChainName, string | null> & { leftOut: LeftOut[]; faults: string[] }

/** What the keys of an environment make of a deployment option. Pure; an empty value counts as absent, values are in no message. */
export function toLineUp(option: LineUpOption, env: Readonly<Record<string, string | undefined>>): LineUp {
  const names = Object.keys(chainKeys) as ChainName[]
  const chains = lineUps[option] as Record<ChainName, readonly ModelRole[]>
  const placed = new Map(names.flatMap((name) => chains[name]).map((role) => [role, place(lineUpModels[role], env)]))
  const toChain = (name: ChainName) => chains[name].flatMap((role) => placed.get(role)!.text ?? []).join(', ') || null
  const leftOut = [...placed].flatMap(([role, { missing }]) => {
    const { title }: LineUpModel = lineUpModels[role]
    const because = missing.map((group) => group.join(' or ')).join(' and ')
    return missing.length === 0 ? [] : [{ name: title, because: `${because} is not set`, keys: missing.flat(), chains: names.filter((name) => chains[name].includes(role)) }]
  })
  return { dev: toChain('dev'), pm: toChain('pm'), architect: toChain('architect'), embedding: toChain('embedding'), reranker: toChain('reranker'), leftOut, faults: [...placed.values()].flatMap(({ faults }) => faults) }
}

/** One model as a chain names it; or what keeps it out. */
function place(model: LineUpModel, env: Readonly<Record<string, string | undefined>>): { text: string | null; missing: string[][]; faults: string[] } {
  const valueOf = (key: string) => env[key]?.trim() || null
  const id = valueOf(model.key) ?? model.id
  const url = model.url && valueOf(model.url.key)
  const needed = [...(id === null ? [[model.key]] : []), ...(model.url ? [[model.url.key]] : []), ...model.needs]
  const missing = needed.filter((group) => group.every((key) => valueOf(key) === null)).map((group) => [...group])
  const faults: string[] = []
  if (id !== null && /[\s,@]/.test(id)) faults.push(`${model.key}: must be the id of one model, such as ${model.id ?? 'arn:aws:bedrock:REGION:ACCOUNT:imported-model/ID'}; it has no space, comma or @`)
  if (url && !isAddress(url)) faults.push(`${model.url!.key}: must be the http(s) URL of a server, such as http://127.0.0.1:8001${model.url!.path}, without a comma`)
  const isPlaced = missing.length === 0 && faults.length === 0
  return { text: isPlaced ? `${model.provider}:${id}${url ? `@${withPath(url, model.url!.path)}` : ''}` : null, missing, faults }
}

function isAddress(url: string): boolean {
  return /^https?:$/.test(URL.parse(url)?.protocol ?? '') && !/[\s,]/.test(url)
}

/** `http://gpu:8001` means the API that the server has at its usual place. */
function withPath(url: string, path: string): string {
  const parsed = new URL(url)
  return parsed.pathname === '/' && parsed.search === '' ? `${url.replace(/\/$/, '')}${path}` : url
}
