import { chainKeys, lineUpOptions, toLineUp } from './line-ups.ts'
import type { ChainName, LeftOut, LineUpOption } from './line-ups.ts'

/** Where a chain comes from. */
export type ChainSource = 'default' | 'environment' | 'line-up'

/** Which models answer, before any of them is looked at. */
export type DrawnChains = {
  /** The deployment option in force; null when none is chosen. `leftOut`: of those chains that no key of their own overrides. */
  lineUp: { option: LineUpOption; leftOut: LeftOut[] } | null
  sources: Record<ChainName, ChainSource>
  /** The environment with every chain that a line-up fills and no key of its own names. */
  env: NodeJS.ProcessEnv
  /** `KEY: what is wrong and how to mend it` */
  faults: string[]
}

/** An agent without a model cannot answer; search does without an embedding model and without a reranker. */
const agents = { dev: 'Dev', pm: 'PM', architect: 'Architect' } as const

/** Fills the chains that the environment does not name from its deployment option, `NURA_MODELS`. An option that there is not is left to who reads the keys. */
export function drawChains(env: NodeJS.ProcessEnv): DrawnChains {
  const names = Object.keys(chainKeys) as ChainName[]
  const isNamed = (name: ChainName) => Boolean(env[chainKeys[name]]?.trim())
  const option = lineUpOptions.find((each) => each === env['NURA_MODELS']?.trim())
  const lineUp = option ? toLineUp(option, env) : null
  const filled = names.flatMap((name) => (lineUp?.[name] && !isNamed(name) ? [[name, lineUp[name]] as const] : []))
  const isFilled = (name: ChainName) => filled.some(([each]) => each === name)
  const toSource = (name: ChainName): ChainSource => (isNamed(name) ? 'environment' : isFilled(name) ? 'line-up' : 'default')
  const leftOut = (lineUp?.leftOut ?? []).filter(({ chains }) => !chains.every(isNamed))
  const empty = lineUp ? (Object.keys(agents) as (keyof typeof agents)[]).filter((name) => !isNamed(name) && lineUp[name] === null) : []
  const faults = empty.map((name) => {
    const keys = new Set(leftOut.filter(({ chains }) => chains.includes(name)).flatMap((left) => left.keys))
    return `NURA_MODELS: ${option} leaves ${agents[name]} without a model. Set what one of its models needs (${[...keys].join(', ')}), or name models in ${chainKeys[name]}`
  })
  return {
    lineUp: option ? { option, leftOut } : null,
    sources: { dev: toSource('dev'), pm: toSource('pm'), architect: toSource('architect'), embedding: toSource('embedding'), reranker: toSource('reranker') },
    env: { ...env, ...Object.fromEntries(filled.map(([name, text]) => [chainKeys[name], text])) },
    faults: [...(lineUp?.faults ?? []), ...(lineUp && lineUp.faults.length > 0 ? [] : faults)],
  }
}
