import { z } from 'zod'
import { suggestions } from '../agents/suggest.ts'
import { readableRepositories } from '../retrieval/readable-repositories.ts'
import { audienceFields, hasItsId, idFault, toAudience } from './audience-query.ts'
import { defineRoute } from './route.ts'

export const suggestionsRoute = defineRoute({
  method: 'GET',
  path: '/v1/suggestions',
  summary: 'Questions that the sources of an audience answer',
  auth: 'tenant',
  query: z.strictObject(audienceFields).refine(hasItsId, idFault),
  answers: { status: 200, description: 'At most four', json: z.object({ suggestions: z.array(z.string()) }) },
  async run({ tenant, query }, parts) {
    const ids = (await readableRepositories(parts, tenant, toAudience(query))).map(({ id }) => id)
    return { status: 200, json: { suggestions: await suggestions(tenant, ids) } }
  },
})
