import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { z } from 'zod'
import { agents } from '#server/agents/index.ts'
import type { AgentName } from '#server/agents/index.ts'

export const names = agents.map((agent) => agent.name) as [AgentName, ...AgentName[]]

const RouterSet = z.array(z.strictObject({ question: z.string().min(1), agent: z.enum(names), author: z.string().optional(), template: z.string().optional() })).min(1)

/** A question, who should answer it, and what it has in common with others: who wrote it, and the mould it was cast in. */
export type Labelled = { question: string; agent: AgentName; author: string; template: string }

/**
 * A labelled set: `[{ "question", "agent", "author"?, "template"? }]`. Each file was written at one time by one hand, so its name is
 * the author unless one is given.
 */
export async function readRouterSet(file: string): Promise<Labelled[]> {
  const author = basename(file, '.json')
  return RouterSet.parse(JSON.parse(await readFile(file, 'utf8'))).map(({ question, agent, ...given }) => ({ question, agent, author: given.author ?? author, template: given.template ?? toTemplate(question) }))
}

/** What the agents learn from, which one hand wrote as well. */
export function ownExamples(): Labelled[] {
  return agents.flatMap(({ name, examples }) => examples.map((question): Labelled => ({ question, agent: name, author: 'examples', template: toTemplate(question) })))
}

const frame = new Set(
  'a an and are at be can could did do does for from give had has have how i if in is it me my of on or our please should show so tell that the their there they this to us was we were what when where which who why will with would you'.split(' '),
)

/**
 * How a question opens: its first two words, `·` for one that tells what it is about. Questions written after one another repeat
 * their openings («Which …», «where is …»), and the router looks at openings.
 */
export function toTemplate(question: string): string {
  const words = question.toLowerCase().match(/[\p{L}\p{N}_']+/gu) ?? []
  return words.slice(0, 2).map((word) => (frame.has(word.replace(/'s$/, '')) ? word : '·')).join(' ')
}
