import { z } from 'zod'
import type { Db, TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { accept, findByAnswer } from '#db/shared/inbox.ts'
import type { InboxRow } from '#db/shared/inbox.ts'
import { findAnswer } from '#db/tenant/answers.ts'
import { isNewestInThread, markAnswerTold } from '#db/tenant/changed-answers.ts'
import type { GithubApp } from '#server/github/app.ts'
import { noteOutdated } from '#server/github/note-outdated.ts'
import type { Logger } from '#server/log.ts'
import type { Enqueue } from './enqueue.ts'
import { defineJob } from './job.ts'

export type TellChangedParts = { db: Db; enqueue: Enqueue; log: Logger; /** Null where no App is configured. */ github: GithubApp | null }

/** Nobody goes back to an older answer. */
const youngMs = 14 * 24 * 3_600_000

/** As far as it matters here: where the question stood, in the words of its platform. */
const Asked = z.object({ kind: z.enum(['message', 'edit']), place: z.record(z.string(), z.unknown()) })

/** Lets the readers of an answer know that something it cites has changed: once, where it was given. */
export const tellChanged = defineJob({
  name: 'tell-changed',
  payload: z.strictObject({ tenantId: z.uuid(), answerId: z.uuid() }),
  options: { attempts: 6, backoffMs: 30_000, concurrency: 4 },
  async run({ tenantId, answerId }, parts: TellChangedParts, { signal, lastAttempt }) {
    signal.throwIfAborted()
    const tenant = await parts.db.tenant(tenantId)
    const answer = await findAnswer(tenant, answerId)
    if (!answer?.changedSha || answer.toldAt) return
    const row = await findByAnswer(parts.db, tenantId, answerId)
    const isYoung = Date.now() - new Date(answer.createdAt).getTime() < youngMs
    try {
      if (row && isYoung && (await isNewestInThread(tenant, answerId))) await tell(parts, tenant, row, { id: answerId, sha: answer.changedSha }, signal)
    } catch (error) {
      if (signal.aborted || !isVain(error, lastAttempt)) throw error
      parts.log.warn({ answerId, err: error }, 'nobody could be told that a source changed')
    }
    await markAnswerTold(tenant, answerId)
  },
})

async function tell(parts: TellChangedParts, tenant: TenantDb, row: InboxRow, changed: { id: string; sha: string }, signal: AbortSignal): Promise<void> {
  if (row.surface !== 'github') return await leaveForPlatform(parts, row, changed)
  if (parts.github) await noteOutdated(parts.github, tenant, row, changed.sha, signal)
}

/** Whether trying again is in vain, or has been for long enough: the note is for people who read on now. */
function isVain(error: unknown, lastAttempt: boolean): boolean {
  const told = error instanceof NuraError ? error : null
  return told?.retryAt === undefined && (lastAttempt || told?.retryable === false)
}

/** Only the bot's process speaks to a platform: it finds there a row of its own, in the thread whose turns it runs. */
async function leaveForPlatform({ db, enqueue, log }: TellChangedParts, row: InboxRow, { id, sha }: { id: string; sha: string }): Promise<void> {
  const asked = Asked.safeParse(row.payload)
  if (!asked.success) return
  const payload = { kind: 'outdated', place: asked.data.place, id, inboxId: row.id, sha }
  const left = await accept(db, { tenantId: row.tenantId, surface: row.surface, kind: 'outdated', eventKey: `outdated:${id}`, threadKey: row.threadKey, payload })
  // The row is the record; the sweeper finds one without a hint.
  await enqueue('answer-turn', { inboxId: left.id, tenantId: row.tenantId }, { dedupe: left.id }).catch((error: unknown) => log.warn({ err: error, inboxId: left.id }, 'not queued; the sweeper will find the row'))
}
