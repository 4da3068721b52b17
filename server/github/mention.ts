import { randomUUID } from 'node:crypto'
import type { Octokit } from 'octokit'
import type { Db, TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { saveAnswer } from '#db/tenant/answers.ts'
import { findRepositoryByExternalId } from '#db/tenant/repositories.ts'
import { createRef } from '../errors.ts'
import type { Logger } from '../log.ts'
import { answerInThread } from './answer-in-thread.ts'
import type { ThreadAnswerParts } from './answer-in-thread.ts'
import type { GithubApp } from './app.ts'
import { closeEyes, openEyes } from './eyes.ts'
import { decideMention, isTooOften, toAsker } from './mention-audience.ts'
import type { MentionEvent } from './mention-event.ts'
import { toMentionState } from './mention-state.ts'
import type { MentionState } from './mention-state.ts'
import type { Permissions } from './permissions.ts'
import { postOnce } from './post-once.ts'
import { renderLine } from './render-markdown.ts'

export type MentionParts = Pick<ThreadAnswerParts, 'answer'> & {
  db: Db
  app: Pick<GithubApp, 'as' | 'identity'>
  permissions: Permissions
  now?: () => Date
}

/** One run for a mention. `delivery` is what earlier runs kept by `save`. */
export type MentionRun = {
  event: MentionEvent
  inboxId: string
  delivery: unknown
  save(delivery: unknown): Promise<void>
  signal: AbortSignal
  /** Nobody tries again after this run: a failure is shown. */
  lastAttempt: boolean
  log: Logger
}

const broken = 'Something went wrong on our side, and I have no answer. Ask again in a few minutes.'
/** How far our clock and GitHub's may be apart. */
const skewMs = 10 * 60_000

/**
 * Answers somebody who named Nura in an issue, a pull request or a review thread: eyes at once, then exactly one comment in
 * the same thread, then no eyes. Who may be answered from what is decided before any text is read.
 *
 * May run again from anywhere: it never writes a second comment.
 * @returns how it ended: `answered`, `abstained`, `refused:<why>`, `silent:<why>`, `failed:<code>`, `gone`
 * @throws what is to be tried again; the eyes stay meanwhile
 */
export async function answerMention(parts: MentionParts, tenant: TenantDb, run: MentionRun): Promise<string> {
  const turn = createTurn(parts, tenant, run)
  try {
    const outcome = await turn.carryOut()
    await turn.end()
    return outcome
  } catch (error) {
    if (isTriedAgain(error, run)) throw error
    const outcome = await turn.fail(error)
    await turn.end()
    return outcome
  }
}

function isTriedAgain(error: unknown, { signal, lastAttempt }: MentionRun): boolean {
  if (signal.aborted) return true
  // What nobody has foreseen does not go away by itself.
  if (!(error instanceof NuraError)) return false
  return error.code === 'stale-attempt' || error.retryAt !== undefined || (error.retryable && !lastAttempt)
}

function createTurn(parts: MentionParts, tenant: TenantDb, { event, inboxId, delivery, save, signal, log }: MentionRun) {
  const now = parts.now ?? (() => new Date())
  const github: Octokit = parts.app.as(event.installationId)
  const earlier = toMentionState(delivery, now())
  let state = earlier

  async function keep(change: Partial<MentionState>): Promise<void> {
    state = { ...state, ...change }
    await save(state)
  }

  /** Writes the one comment of this turn. */
  async function post(body: string): Promise<void> {
    const [owner = '', repo = ''] = event.repository.split('/')
    const marker = state.marker ?? randomUUID()
    if (state.marker === null) await keep({ marker })
    const app = await parts.app.identity(signal)
    const since = new Date(Date.parse(state.startedAt) - skewMs)
    const commentId = await postOnce(github, { owner, repo, number: event.number, root: event.rootId }, { marker, body, app, since, uncertain: earlier.marker !== null, signal })
    await keep({ commentId })
  }

  return {
    async carryOut(): Promise<string> {
      if (state.commentId !== null) return 'answered'
      const repository = await findRepositoryByExternalId(tenant, event.externalId)
      const decide = () => decideMention({ ...parts, log, now, made: earlier.answerId !== null }, tenant, event, repository, signal)
      // Somebody who was told that it is enough sees no eyes either; everybody else does, before GitHub is asked anything.
      const early = (await isTooOften(tenant, event, now())) ? await decide() : null
      if (early?.kind !== 'silent' && state.reactionId === null) await keep({ reactionId: await openEyes(github, event, signal) })
      const decision = early ?? (await decide())
      log.info({ decision: decision.kind, ...(decision.kind === 'answer' ? { audience: decision.audience.kind } : { reason: decision.reason }) }, 'readers of a mention decided')
      if (decision.kind === 'silent') return `silent:${decision.reason}`
      if (decision.kind === 'refuse') {
        await post(renderLine(decision.say))
        // Counts like an answer, so that the next question is not told again.
        if (decision.reason === 'too-often') await noteRefusal(tenant, event, inboxId, decision.say)
        return `refused:${decision.reason}`
      }
      const { slug } = await parts.app.identity(signal)
      const answered = await answerInThread({ answer: parts.answer, github, now, log }, tenant, { event, slug, repository, decision, answerId: state.answerId, signal })
      await keep({ answerId: answered.answerId })
      await post(answered.body)
      return answered.abstained ? 'abstained' : 'answered'
    },

    /** Shows a failure that nobody tries to repair any more; its own failure is only logged. */
    async fail(error: unknown): Promise<string> {
      const code = error instanceof NuraError ? error.code : 'internal'
      const ref = createRef()
      log.error({ err: error, ref }, 'mention not answered')
      // Nothing is there to be answered any more, or nobody who could write it.
      if (code === 'github-not-installed' || code === 'github-not-found') return 'gone'
      const says = error instanceof NuraError && !code.startsWith('github-') ? error.message : broken
      try {
        if (state.commentId === null) await post(renderLine(`${says} Ref ${ref}`))
      } catch (cause) {
        if (signal.aborted || (cause instanceof NuraError && cause.retryAt)) throw cause
        log.error({ err: cause, ref }, 'failure of a mention not shown')
      }
      return `failed:${code}`
    },

    /** Takes the eyes away, whatever ended the turn. */
    async end(): Promise<void> {
      if (state.reactionId === null) return
      try {
        const { slug } = await parts.app.identity(signal)
        await closeEyes(github, event, state.reactionId, slug)
        await keep({ reactionId: null })
      } catch (error) {
        if (error instanceof NuraError && error.retryAt) throw error
        log.warn({ err: error }, 'eyes not taken away')
      }
    },
  }
}

async function noteRefusal(tenant: TenantDb, event: MentionEvent, inboxId: string, say: string): Promise<void> {
  await saveAnswer(tenant, { id: inboxId, thread: null, asker: toAsker(event), question: '', agent: 'none', markdown: say, abstained: true, citations: [], trace: { refused: 'too-often' }, usage: {}, citedChunks: [] })
}
