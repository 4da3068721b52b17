import { z } from 'zod'
import { findHeadings, findLandmarks } from '#db/tenant/landmarks.ts'
import type { Landmark } from '#db/tenant/landmarks.ts'
import { Audience } from '../retrieval/audience.ts'
import { readableRepositories } from '../retrieval/readable-repositories.ts'
import { defineRoute } from './route.ts'

const most = 4

export const suggestionsRoute = defineRoute({
  method: 'GET',
  path: '/v1/suggestions',
  summary: 'Questions that the sources of an audience answer',
  auth: 'tenant',
  query: z
    .strictObject({
      audience: z.enum(['tenant', 'channel', 'person', 'public'], 'must be tenant, channel, person or public').default('tenant'),
      id: z.string().min(1).max(200).optional().describe('Of the channel or person'),
    })
    .refine(({ audience, id }) => (id !== undefined) === (audience === 'channel' || audience === 'person'), { path: ['id'], message: 'is for channel and person, and needed there' }),
  answers: { status: 200, description: `At most ${most}`, json: z.object({ suggestions: z.array(z.string()) }) },
  async run({ tenant, query }, { db }) {
    const audience = Audience.parse({ kind: query.audience, id: query.id })
    const ids = (await readableRepositories(db, tenant, audience)).map(({ id }) => id)
    const [landmarks, headings] = await Promise.all([findLandmarks(tenant, ids, 12), findHeadings(tenant, ids, 12)])
    return { status: 200, json: { suggestions: toSuggestions(landmarks, headings) } }
  },
})

const ways = [
  (name: string) => `Where is ${name} defined, and what uses it?`,
  (name: string) => `How does ${name} work?`,
  (name: string) => `Which tests cover ${name}?`,
]

/** Each question is about something else, the last about a document where there is one. */
export function toSuggestions(landmarks: Landmark[], headings: Landmark[]): string[] {
  const heading = headings.find(({ name }) => /[a-z]/i.test(name) && !/^(table of contents|contents|license|changelog|contributing)$/i.test(name))
  const document = heading && `What does ${heading.path} say about ${heading.name}?`
  const code = landmarks.slice(0, document ? most - 1 : most).map(({ name, container }, at) => {
    const way = ways[at % ways.length] as (typeof ways)[number]
    return way(container ? `${container}.${name}` : name)
  })
  return document ? [...code, document] : code
}
