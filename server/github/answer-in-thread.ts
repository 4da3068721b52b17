import type { Octokit } from 'octokit'
import type { TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { findAnswer } from '#db/tenant/answers.ts'
import { listRepositories } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { withSubject } from '../agents/memory.ts'
import type { AnswerDone, AnswerPart, Citation, Report } from '../answer-part.ts'
import { Citation as CitationShape } from '../answer-part.ts'
import type { Question } from '../answer.ts'
import { redact } from '../indexing/redact.ts'
import type { Logger } from '../log.ts'
import type { DecidedAudience } from '../retrieval/audience.ts'
import type { Overlay } from '../retrieval/overlay.ts'
import { checkLinks } from './check-links.ts'
import { findMention } from './find-mention.ts'
import { toAsker } from './mention-audience.ts'
import type { MentionAudience } from './mention-audience.ts'
import type { MentionEvent } from './mention-event.ts'
import { readThread } from './mention-thread.ts'
import { toRechecked } from './mention-words.ts'
import { readOverlay } from './read-overlay.ts'
import { renderMarkdown } from './render-markdown.ts'

export type ThreadAnswerParts = {
  answer(tenant: TenantDb, question: Question, signal: AbortSignal, turn: { log: Logger }): AsyncIterable<AnswerPart>
  github: Octokit
  now: () => Date
  log: Logger
}

export type ThreadQuestion = {
  event: MentionEvent
  /** Of the App: the name that the question is asked by. */
  slug: string
  repository: Repository | null
  decision: Extract<MentionAudience, { kind: 'answer' }>
  /** Of an earlier run that made the answer and could not show it: it is shown now. */
  answerId: string | null
  signal: AbortSignal
}

/**
 * The comment that answers a mention, from the sources its readers may see; in a pull request these are the index and the
 * files at its head. Nothing is written anywhere but the answer's own row.
 */
export async function answerInThread(parts: ThreadAnswerParts, tenant: TenantDb, asked: ThreadQuestion): Promise<{ body: string; answerId: string; abstained: boolean }> {
  const { event, repository, decision, signal } = asked
  const thread = await readThread(parts.github, event, decision.trusted, signal)
  const memory = toThread(event, decision.audience)
  const spoken = (await redact(findMention(event.body, asked.slug)?.question ?? '')).text
  const question = await toRechecked(tenant, memory, spoken)
  const laid = repository && thread.pull && (await readOverlay(parts.github, repository, { ...event, headSha: thread.pull.headSha, focus: thread.focus, question }, signal))
  const overlay = laid?.overlay ?? null
  const made = await findMade(tenant, asked.answerId)
  const told =
    made ??
    (await collect(
      parts.answer(
        tenant,
        {
          text: atFocus(question, overlay),
          thread: memory,
          audience: decision.audience,
          asker: toAsker(event),
          context: thread.context,
          ...(overlay ? { overlay } : {}),
        },
        signal,
        { log: parts.log },
      ),
      signal,
    ))
  const repositories = await listRepositories(tenant)
  const citations = await checkLinks({ tenant, github: parts.github, overlay, signal }, told.citations, repositories)
  if (citations.length < told.citations.length) parts.log.warn({ answerId: told.answerId, dropped: told.citations.length - citations.length }, 'links to lines that are not there were dropped')
  const isPartial = laid && thread.pull && laid.seen < thread.pull.changedFiles
  const notices = [...(isPartial ? [`Read for this answer: ${laid.seen} of ${thread.pull!.changedFiles} changed files.`] : []), ...(told.notice ? [told.notice] : [])]
  const freshness = told.freshness ?? toFreshness(repositories, citations)
  const body = renderMarkdown({ markdown: told.markdown, citations, freshness, headSha: overlay?.sha ?? null, home: repository?.name ?? event.repository, reports: told.reports, notices }, parts.now())
  return { body, answerId: told.answerId, abstained: told.abstained }
}

/** What is said in one thread is remembered there; what was said while it was private is not what the public is told from. */
export function toThread({ installationId, externalId, number, rootId }: MentionEvent, { kind }: DecidedAudience): string {
  return ['github', installationId, externalId, number, ...(rootId === null ? [] : [rootId]), ...(kind === 'public' ? [kind] : [])].join(':')
}

type Told = Pick<AnswerDone, 'answerId' | 'abstained' | 'notice'> & { markdown: string; citations: Citation[]; reports: Report[]; freshness: AnswerDone['freshness'] | null }

/** @throws NuraError what the answer ended with, and the signal's reason */
async function collect(parts: AsyncIterable<AnswerPart>, signal: AbortSignal): Promise<Told> {
  let markdown = ''
  const citations: Citation[] = []
  const reports: Report[] = []
  for await (const part of parts) {
    if (part.kind === 'text') markdown += part.markdown
    else if (part.kind === 'citation') citations.push(part.citation)
    else if (part.kind === 'report') reports.push(part.report)
    else if (part.kind === 'done') return { ...part, markdown, citations, reports }
    else if (part.kind === 'error') {
      signal.throwIfAborted()
      throw new NuraError(part.code, part.message, { retryable: part.retryable })
    }
  }
  throw new NuraError('stream-ended', 'The answer stopped half-way.', { retryable: true })
}

async function findMade(tenant: TenantDb, answerId: string | null): Promise<Told | null> {
  const stored = answerId === null ? null : await findAnswer(tenant, answerId)
  if (!stored) return null
  return { answerId: stored.id, abstained: stored.abstained, markdown: stored.markdown, citations: CitationShape.array().catch([]).parse(stored.citations), reports: [], freshness: null }
}

/** «What does this do?» on a line of code asks about the definition that the line is in. */
function atFocus(question: string, overlay: Overlay | null): string {
  const focus = overlay?.focus
  if (!focus) return question
  const symbols = overlay.files.find(({ row }) => row.path === focus.path)?.symbols ?? []
  const around = symbols.filter(({ kind, startLine, endLine }) => kind !== 'heading' && startLine <= focus.line && focus.line <= endLine)
  const nearest = around.sort((a, b) => a.endLine - a.startLine - (b.endLine - b.startLine))[0]
  return nearest ? withSubject(question, nearest.name) : question
}

function toFreshness(repositories: Repository[], citations: Citation[]): AnswerDone['freshness'] {
  const cited = new Set(citations.map(({ repository }) => repository))
  return repositories
    .filter(({ name }) => cited.has(name))
    .flatMap(({ name, indexedSha, defaultBranch, indexedAt }) => (indexedSha && indexedAt ? [{ repository: name, sha: indexedSha, branch: defaultBranch ?? null, indexedAt: new Date(indexedAt).toISOString() }] : []))
}
