import { z } from 'zod'
import { Audience } from '../retrieval/audience.ts'
import { redact } from '../indexing/redact.ts'
import { legs } from '../retrieval/passage.ts'
import { AskBody } from './ask.ts'
import { defineRoute } from './route.ts'

export const searchRoute = defineRoute({
  method: 'POST',
  path: '/v1/search',
  summary: 'The passages an agent would be given for a question, ranked',
  auth: 'tenant',
  body: z.strictObject({
    question: AskBody.shape.question,
    limit: z.int('must be a whole number').min(1, 'must be at least 1').max(50, 'must be at most 50').optional(),
    repository: AskBody.shape.repository,
    audience: Audience.default({ kind: 'tenant' }),
  }),
  answers: {
    status: 200,
    description: 'Passages, best first',
    json: z.object({
      passages: z.array(
        z.object({
          n: z.int().positive(),
          repository: z.string(),
          path: z.string(),
          startLine: z.int().positive(),
          endLine: z.int().positive(),
          sha: z.string(),
          content: z.string(),
          contentType: z.string(),
          language: z.string().nullable(),
          scope: z.array(z.string()),
          score: z.number(),
          legs: z.partialRecord(z.enum(legs), z.number()),
        }),
      ),
      timings: z.record(z.string(), z.number()),
    }),
  },
  async run({ tenant, asker, body, signal }, parts) {
    await parts.limits?.admit({ tenantId: tenant.id, asker, channel: null })
    // As a question that is asked: what goes to an embedding model holds no secret.
    const question = (await redact(body.question)).text
    const { passages, timings } = await parts.search(tenant, { ...body, question, signal })
    const shown = passages.map(({ chunkId: _, repositoryId: __, ...passage }) => passage)
    return { status: 200, json: { passages: shown, timings } }
  },
})
