import { z } from 'zod'
import { suggestions } from '../agents/suggest.ts'
import { Audience } from '../retrieval/audience.ts'
import { readableRepositories } from '../retrieval/readable-repositories.ts'
import { defineRoute } from './route.ts'

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
  answers: { status: 200, description: 'At most four', json: z.object({ suggestions: z.array(z.string()) }) },
  async run({ tenant, query }, parts) {
    const audience = Audience.parse({ kind: query.audience, id: query.id })
    const ids = (await readableRepositories(parts, tenant, audience)).map(({ id }) => id)
    return { status: 200, json: { suggestions: await suggestions(tenant, ids) } }
  },
})
