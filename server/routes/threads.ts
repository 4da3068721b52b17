import { z } from 'zod'
import { answersInThread } from '#db/tenant/answers.ts'
import { findThread, saveThread } from '#db/tenant/threads.ts'
import type { Thread } from '#db/tenant/thread.ts'
import { notFound } from '../errors.ts'
import { defineRoute } from './route.ts'

const Key = z.object({ key: z.string().min(1).max(300).describe('The key that questions of the thread carry as `thread`') })
const ThreadBody = z.object({
  key: z.string(),
  surface: z.string(),
  subscribed: z.boolean().describe('Nura follows the thread without being named'),
  muted: z.boolean(),
  agent: z.string().nullable(),
  createdAt: z.string(),
  updatedAt: z.string(),
})

/** Answers of a thread that are shown with it, newest kept. */
const mostAnswers = 100

export const readThreadRoute = defineRoute({
  method: 'GET',
  path: '/v1/threads/:key',
  summary: 'A thread with its questions and answers, as long as they are kept',
  auth: 'tenant',
  params: Key,
  answers: {
    status: 200,
    description: 'The thread; answers oldest first',
    json: ThreadBody.extend({
      answers: z.array(z.object({ id: z.string(), question: z.string(), agent: z.string(), markdown: z.string(), abstained: z.boolean(), createdAt: z.string() })),
    }),
  },
  async run({ tenant, params }) {
    const thread = await findThread(tenant, params.key)
    if (!thread) throw notFound()
    const answers = await answersInThread(tenant, params.key, mostAnswers)
    const shown = answers.map(({ id, question, agent, markdown, abstained, createdAt }) => ({ id, question, agent, markdown, abstained, createdAt: toIso(createdAt) }))
    return { status: 200, json: { ...show(thread), answers: shown } }
  },
})

export const updateThreadRoute = defineRoute({
  method: 'PATCH',
  path: '/v1/threads/:key',
  summary: 'Follow a thread, or leave it alone; one that is not known yet is noted',
  auth: 'tenant',
  params: Key,
  body: z
    .strictObject({ subscribed: z.boolean('must be true or false').optional(), muted: z.boolean('must be true or false').optional() })
    .refine((change) => change.subscribed !== undefined || change.muted !== undefined, 'give subscribed, muted or both'),
  answers: { status: 200, description: 'The thread as it is now', json: ThreadBody },
  async run({ tenant, params, body }) {
    return { status: 200, json: show(await saveThread(tenant, { key: params.key, surface: toSurface(params.key), ...body })) }
  },
})

function toSurface(key: string): string {
  return /^(slack|teams|github|terminal)(?=:)/.exec(key)?.[1] ?? 'api'
}

function show({ key, surface, subscribed, muted, agent, createdAt, updatedAt }: Thread): z.infer<typeof ThreadBody> {
  return { key, surface, subscribed, muted, agent: agent ?? null, createdAt: toIso(createdAt), updatedAt: toIso(updatedAt) }
}

function toIso(date: Date | string): string {
  return new Date(date).toISOString()
}
