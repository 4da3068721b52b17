import { z } from 'zod'
import { NuraError } from '#db/nura-error.ts'
import { agents } from '../agents/index.ts'
import { Citation, Freshness, Report, Usage } from '../answer-part.ts'
import type { AnswerDone, AnswerPart } from '../answer-part.ts'
import type { ServerParts } from '../app.ts'
import { createRef, toFailure, toStatus } from '../errors.ts'
import type { Logger } from '../log.ts'
import { Audience } from '../retrieval/audience.ts'
import { defineRoute } from './route.ts'
import type { Reply, StreamEvent } from './route.ts'

const agentNames = agents.map((agent) => agent.name)
const longestQuestion = 8_000

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

export const AskBody = z.strictObject({
  question: z
    .string('is required: the question, as text')
    .trim()
    .min(1, 'is empty; write what you want to know')
    .max(longestQuestion, `is longer than ${longestQuestion.toLocaleString('en')} characters; ask a shorter question`),
  thread: z.string().min(1).max(300).optional().describe('Opaque key of the conversation; questions of one thread remember each other'),
  agent: z.enum(agentNames as [string, ...string[]], `there is no such agent; choose one of ${agentNames.join(', ')}`).optional(),
  prefer: z.enum(agentNames as [string, ...string[]], `there is no such agent; choose one of ${agentNames.join(', ')}`).optional().describe('Who answers where the question does not speak clearly for another agent'),
  audience: Audience.default({ kind: 'tenant' }).describe('Who will read the answer'),
  context: z
    .array(z.strictObject({ author: z.string().max(200), text: z.string().max(40_000), trusted: z.boolean() }))
    .max(200)
    .optional()
    .describe('The conversation around the question, oldest first'),
  repository: z.string().min(1).max(200).optional().describe('Answer from this repository alone'),
  timeZone: z
    .string()
    .max(60)
    .refine(isTimeZone, 'must be a time zone such as Europe/Berlin')
    .optional()
    .describe('Zone of the asker, in which days and weeks are meant; UTC unless given'),
  retell: z.uuid('must be the id of an answer').optional().describe('Tell what this answer rests on anew, as `agent` tells it, without another search'),
})

export const AskAnswer = z.object({
  answer: z.string(),
  answerId: z.string(),
  agent: z.string(),
  abstained: z.boolean(),
  citations: z.array(Citation),
  reports: z.array(Report),
  freshness: z.array(Freshness),
  usage: Usage,
  notice: z.string().optional(),
  timings: z.record(z.string(), z.number()),
  trace: z.string(),
})

export const askRoute = defineRoute({
  method: 'POST',
  path: '/v1/ask',
  summary: 'Ask a question; the answer cites files, lines and commits of the tenant’s own sources',
  auth: 'tenant',
  body: AskBody,
  answers: {
    status: 200,
    description: 'The answer, whole or as it is written',
    json: AskAnswer,
    also: {
      'text/event-stream':
        'Events: `status` {text}, `token` {text}, `citation` {n, repository, path, startLine, endLine, sha, url, title?, changedAt?}, `report` {title, asOf, timeZone, range, figures, table, chart, missing}, `step` {id, title, agent, state}, then one `done` {answerId, agent, abstained, freshness, usage, notice?, timings, trace} or one `error` {code, message, retryable, ref}. Lines that start with a colon keep the connection alive.',
    },
  },
  async run({ tenant, asker, body, wantsEvents, signal, log }, parts): Promise<Reply> {
    const { question: text, ...rest } = body
    await parts.limits?.admit({ tenantId: tenant.id, asker, channel: body.audience.kind === 'channel' ? body.audience.id : null })
    const asked = parts.answer(tenant, { ...rest, text, asker }, signal, { log })
    const answered = measure(asked, parts, log, toSurface(asker), signal)
    return wantsEvents ? { status: 200, events: toEvents(answered) } : toReply(await collect(answered))
  },
})

/** Passes the parts on and guarantees that exactly one `done` or `error` is the last, whatever the source does. */
async function* measure(asked: AsyncIterable<AnswerPart>, parts: ServerParts, log: Logger, surface: string | null, signal: AbortSignal): AsyncGenerator<AnswerPart> {
  const started = performance.now()
  const since = () => (performance.now() - started) / 1000
  const end = (agent: string, outcome: string) => {
    parts.metrics.answer.observe(since())
    if (surface !== null) parts.metrics.turns.inc({ surface, agent, outcome })
  }
  let isFirst = true
  try {
    for await (const part of asked) {
      if (isFirst) parts.metrics.firstEvent.observe(since())
      isFirst = false
      if (part.kind === 'done') {
        end(part.agent, part.abstained ? 'abstained' : 'answered')
        log.info({ answerId: part.answerId, turn: part.trace, agent: part.agent, abstained: part.abstained, timings: part.timings }, 'answered')
        return yield part
      }
      if (part.kind === 'error') {
        end('none', 'failed')
        log.warn({ code: part.code, ref: part.ref }, 'not answered')
        return yield part
      }
      yield part
    }
    throw new Error('the answer ended without done or error')
  } catch (error) {
    end('none', signal.aborted ? 'interrupted' : 'failed')
    const { error: shown } = toFailure(error, createRef())
    log[signal.aborted ? 'info' : 'error']({ err: error, ref: shown.ref }, 'answer broke off')
    yield { kind: 'error', code: shown.code, message: shown.message, retryable: shown.retryable, ref: shown.ref }
  }
}

async function* toEvents(parts: AsyncIterable<AnswerPart>): AsyncGenerator<StreamEvent> {
  for await (const part of parts) yield toEvent(part)
}

function toEvent(part: AnswerPart): StreamEvent {
  if (part.kind === 'text') return { event: 'token', data: { text: part.markdown } }
  if (part.kind === 'citation') return { event: 'citation', data: part.citation }
  if (part.kind === 'report') return { event: 'report', data: part.report }
  if (part.kind === 'step') return { event: 'step', data: part.step }
  const { kind, ...data } = part
  return { event: kind, data }
}

type Collected = { markdown: string; citations: Citation[]; reports: Report[]; last: AnswerDone | Extract<AnswerPart, { kind: 'error' }> }

async function collect(parts: AsyncIterable<AnswerPart>): Promise<Collected> {
  let markdown = ''
  const citations: Citation[] = []
  const reports: Report[] = []
  for await (const part of parts) {
    if (part.kind === 'text') markdown += part.markdown
    if (part.kind === 'citation') citations.push(part.citation)
    if (part.kind === 'report') reports.push(part.report)
    if (part.kind === 'done' || part.kind === 'error') return { markdown, citations, reports, last: part }
  }
  throw new Error('measure always ends with done or error')
}

function toReply({ markdown, citations, reports, last }: Collected): Reply {
  if (last.kind === 'error') {
    const { kind: _, ...error } = last
    return { status: toFailureStatus(error), json: { error } }
  }
  const { kind: _, ...done } = last
  return { status: 200, json: { answer: markdown, ...done, citations, reports } satisfies z.infer<typeof AskAnswer> }
}

function toFailureStatus({ code, message, retryable }: { code: string; message: string; retryable: boolean }): number {
  return toStatus(new NuraError(code, message, { retryable }))
}

/** A platform counts its own turns, by what its user saw; here only direct callers are counted. */
function toSurface(asker: string): string | null {
  return /^(slack|teams|github|terminal):/.test(asker) ? null : 'api'
}
