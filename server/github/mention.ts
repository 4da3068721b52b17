import { randomUUID } from 'node:crypto'
import type { Octokit } from 'octokit'
import type { Db, TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { saveAnswer } from '#db/tenant/answers.ts'
import { findRepositoryByExternalId } from '#db/tenant/repositories.ts'
import { createRef } from '../errors.ts'
import { toSettingsText } from '../explain-settings.ts'
import type { Logger } from '../log.ts'
import { toPrivacyText } from '../retention.ts'
import type { TellSettings } from '../tell-settings.ts'
import { inSpan } from '../tracing/span.ts'
import { answerInThread, toThread } from './answer-in-thread.ts'
import type { ThreadAnswerParts } from './answer-in-thread.ts'
import type { GithubApp } from './app.ts'
import { callOwners } from './call-owners.ts'
import { closeEyes, openEyes } from './eyes.ts'
import { findMention } from './find-mention.ts'
import { decideMention, isTooOften, toAsker } from './mention-audience.ts'
import type { MentionEvent } from './mention-event.ts'
import { toMentionState } from './mention-state.ts'
import type { MentionState } from './mention-state.ts'
import { toMentionWord } from './mention-words.ts'
import { toOwnerAndRepo } from './owner-and-repo.ts'
import type { Permissions } from './permissions.ts'
import { findPosted, postOnce, rewrite } from './post-once.ts'
import { renderLine } from './render-markdown.ts'

export type MentionParts = Pick<ThreadAnswerParts, 'answer'> & {
  db: Db
  app: Pick<GithubApp, 'as' | 'identity'>
  permissions: Permissions
  tellSettings: TellSettings
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
  if (!(error instanceof NuraError)) return !lastAttempt
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

  /** Writes the one comment of this turn: where an earlier run told of its failure, over that. */
  async function post(body: string): Promise<void> {
    const { owner, repo } = toOwnerAndRepo(event.repository)
    const at = { owner, repo, number: event.number, root: event.rootId }
    const marker = state.marker ?? randomUUID()
    if (state.marker === null) await keep({ marker })
    const app = await parts.app.identity(signal)
    const since = new Date(Date.parse(state.startedAt) - skewMs)
    const comment = { marker, body, app, since, signal }
    const told = earlier.failed ? (state.commentId ?? (await findPosted(github, at, comment))) : null
    const isRewritten = told !== null && (await rewrite(github, at, told, comment))
    await keep({ commentId: isRewritten ? told : await postOnce(github, at, { ...comment, uncertain: earlier.marker !== null }) })
  }

  /** What the turn was for. */
  async function show(body: string): Promise<void> {
    await inSpan('deliver', { 'nura.surface': 'github' }, () => post(body))
    if (state.failed) await keep({ failed: false })
  }

  return {
    async carryOut(): Promise<string> {
      if (state.commentId !== null && !state.failed) return 'answered'
      const repository = await findRepositoryByExternalId(tenant, event.externalId)
      const decide = () => decideMention({ ...parts, log, now, made: earlier.answerId !== null }, tenant, event, repository, signal)
      // Somebody who was told that it is enough sees no eyes either; everybody else does, before GitHub is asked anything.
      const early = (await isTooOften(tenant, event, now())) ? await decide() : null
      if (early?.kind !== 'silent' && state.reactionId === null) await keep({ reactionId: await openEyes(github, event, signal) })
      const decision = early ?? (await decide())
      log.info({ decision: decision.kind, ...(decision.kind === 'answer' ? { audience: decision.audience.kind } : { reason: decision.reason }) }, 'readers of a mention decided')
      if (decision.kind === 'silent') return `silent:${decision.reason}`
      if (decision.kind === 'refuse') {
        await show(renderLine(decision.say))
        // Counts like an answer, so that the next question is not told again.
        if (decision.reason === 'too-often') await noteReply(tenant, event, inboxId, decision.say)
        return `refused:${decision.reason}`
      }
      const { slug } = await parts.app.identity(signal)
      const word = toMentionWord(findMention(event.body, slug)?.question ?? '')
      const thread = toThread(event, decision.audience)
      if (word === 'config' || word === 'privacy') {
        const body = renderLine(word === 'privacy' ? toPrivacyText() : toSettingsText(await parts.tellSettings(tenant, decision.audience, thread)))
        await show(body)
        if (!decision.trusted) await noteReply(tenant, event, inboxId, body)
        return `word:${word}`
      }
      if (word === 'ask-owners') {
        const { body, outcome } = await callOwners(github, tenant, { event, thread, inboxId, mayWrite: decision.trusted, signal })
        await show(body)
        if (!decision.trusted) await noteReply(tenant, event, inboxId, body)
        return outcome
      }
      const readers = JSON.stringify(decision.audience)
      const answerId = state.readers === readers ? state.answerId : null
      const answered = await answerInThread({ answer: parts.answer, github, now, log }, tenant, { event, slug, repository, decision, answerId, signal })
      await keep({ answerId: answered.answerId, readers })
      await show(answered.body)
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
        if (state.commentId === null) await keep({ failed: true })
        if (state.failed) await post(renderLine(`${says} Ref ${ref}`))
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

/** A comment that is no answer, counted like one: nobody from outside can have any number of them written. */
async function noteReply(tenant: TenantDb, event: MentionEvent, inboxId: string, markdown: string): Promise<void> {
  await saveAnswer(tenant, { id: inboxId, thread: null, asker: toAsker(event), question: '', agent: 'none', markdown, abstained: true, citations: [], trace: {}, usage: {}, citedChunks: [] })
}
