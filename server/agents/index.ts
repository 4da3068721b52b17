import { NuraError } from '#db/nura-error.ts'
import { architect } from './architect.ts'
import { dev } from './dev.ts'
import { pm } from './pm.ts'

/** THE list of agents. The first is the one that answers when nothing speaks for another. */
export const agents = [dev, pm, architect] as const

export type AgentName = (typeof agents)[number]['name']

/** @throws NuraError `unknown-agent` that names the known ones */
export function findAgent(name: string): (typeof agents)[number] {
  const found = agents.find((agent) => agent.name === name.trim().toLowerCase())
  if (found) return found
  const known = agents.map((agent) => agent.name).join(', ')
  throw new NuraError('unknown-agent', `There is no agent "${name.slice(0, 40)}". Use one of: ${known}.`, { field: 'agent' })
}
