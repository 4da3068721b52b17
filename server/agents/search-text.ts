import { asksFor, shapeOf } from '../models/extractive/shape.ts'
import { toQuery } from '../retrieval/query.ts'

/** What a question that names nothing is searched by: its own words would find anything. */
const introduction = 'README introduction overview features getting started'
const layout = 'architecture design overview structure README'

/** The text to search by; `isGeneral` when the question names nothing of its own and is about the whole. */
export function toSearchText(question: string, repositories: string[]): { text: string; isGeneral: boolean } {
  const shape = shapeOf(question, 'modules')
  if (shape === 'overview' || repositories.some((repository) => asksFor(question, repository))) return { text: introduction, isGeneral: true }
  const told = toQuery(question).tokens.filter((token) => !general.has(token))
  return shape === 'modules' && told.length === 0 ? { text: `${question} ${layout}`, isGeneral: true } : { text: question, isGeneral: false }
}

const general = new Set(
  toQuery('system systems code base codebase project repository repo app application overall architecture structure structured organised organized design designed modules components main parts layers folders package packages building blocks interact interacts big picture overview relate').tokens,
)
