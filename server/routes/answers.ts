import { z } from 'zod'
import { deleteAnswer, findAnswer, saveFeedback } from '#db/tenant/answers.ts'
import { threadOfAnswer } from '#db/tenant/thread-rows.ts'
import { notFound } from '../errors.ts'
import { defineRoute } from './route.ts'

const Id = z.object({ id: z.uuid() })

export const readAnswerRoute = defineRoute({
  method: 'GET',
  path: '/v1/answers/:id',
  summary: 'A stored answer with what was considered for it, and why',
  auth: 'tenant',
  params: Id,
  answers: {
    status: 200,
    description: 'The answer',
    json: z.object({
      id: z.string(),
      question: z.string(),
      agent: z.string(),
      markdown: z.string(),
      abstained: z.boolean(),
      citations: z.array(z.unknown()),
      reports: z.array(z.unknown()).describe('Numbers that were counted for it, as they were told'),
      usage: z.record(z.string(), z.unknown()),
      trace: z.record(z.string(), z.unknown()),
      changedSha: z.string().nullable().describe('Commit at which something that it cites was gone; null while all of it stands'),
      createdAt: z.string(),
    }),
  },
  async run({ tenant, params }) {
    const found = await findAnswer(tenant, params.id)
    if (!found) throw notFound()
    const { id, question, agent, markdown, abstained, citations, usage, trace, evidence, changedSha, createdAt } = found
    const reports = z.object({ reports: z.array(z.unknown()) }).safeParse(evidence).data?.reports ?? []
    return { status: 200, json: { id, question, agent, markdown, abstained, citations, reports, usage, trace, changedSha: changedSha ?? null, createdAt: new Date(createdAt).toISOString() } }
  },
})

export const deleteAnswerRoute = defineRoute({
  method: 'DELETE',
  path: '/v1/answers/:id',
  summary: 'Delete a stored answer with its question and feedback',
  auth: 'tenant',
  params: Id,
  answers: { status: 204, description: 'Deleted' },
  async run({ tenant, params }, { threads }) {
    const thread = await threadOfAnswer(tenant, params.id)
    if (!(await deleteAnswer(tenant, params.id))) throw notFound()
    if (thread !== null) await threads?.forget(tenant, thread)
    return { status: 204 }
  },
})

export const giveFeedbackRoute = defineRoute({
  method: 'POST',
  path: '/v1/answers/:id/feedback',
  summary: 'Say whether an answer helped; one verdict a person, the last one counts',
  auth: 'tenant',
  params: Id,
  body: z.strictObject({ verdict: z.enum(['up', 'down'], 'must be "up" or "down"'), reason: z.string().max(2_000, 'is longer than 2,000 characters').optional() }),
  answers: { status: 204, description: 'Noted' },
  async run({ tenant, asker, params, body }) {
    await saveFeedback(tenant, params.id, { by: asker, verdict: body.verdict, reason: body.reason ?? null })
    return { status: 204 }
  },
})
