import { expect, it } from 'vitest'
import { readServerConfig } from './config.ts'
import { createCore } from './create-core.ts'
import { createLog } from './log.ts'
import { createMetrics } from './metrics.ts'

function logOf(env: Record<string, string>): { msg: string }[] {
  const lines: string[] = []
  const log = createLog({ level: 'warn', process: 'server', destination: { write: (line: string) => void lines.push(line) } })
  createCore({ config: readServerConfig({ EMBEDDING_MODELS: 'lexical:default', ...env }), githubConfig: null, db: {} as never, log, metrics: createMetrics() })
  return lines.map((line) => JSON.parse(line) as { msg: string })
}

it('names once the keys whose models a deployment option goes without', () => {
  const left = logOf({ NURA_MODELS: 'development', OPENAI_API_KEY: 'sk-canary' }).map(({ msg }) => msg).filter((msg) => msg.includes('NURA_MODELS'))
  expect(left).toEqual(['models left out of NURA_MODELS=development: Claude Sonnet, because ANTHROPIC_API_KEY is not set'])
})

it('says nothing of the kind where no option is chosen', () => {
  expect(logOf({})).toEqual([])
})
