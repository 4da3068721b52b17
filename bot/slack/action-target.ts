import type { Logger } from 'pino'
import type { Db } from '#db/index.ts'
import { isChannelApproved } from '#db/shared/slack-installations.ts'
import type { ReplyActionParts } from '../act-on-reply.ts'
import type { NuraApi } from '../nura-api.ts'
import type { Action, PlatformParts } from '../platform.ts'
import { admit } from './admission.ts'
import { refusalOf } from './call.ts'
import type { Workspace } from './installations.ts'

export type ActParts = {
  db: Db
  api: NuraApi
  log: Logger
  workspace: Workspace
  receive: PlatformParts['receive']
  queue: PlatformParts['queue']
  /** User group that is called when Nura does not know; null when none is configured. */
  helpGroup: string | null
  /** The row of the action. */
  inboxId: string
}

/** What the actions of every platform need. */
export function toTargetParts({ db, api, log, workspace, receive, queue }: ActParts): ReplyActionParts {
  const { tenantId, directory } = workspace
  return { db, api, tenantId, receive, queue, admit: (action) => admit({ directory, isApproved: (channel) => isChannelApproved(db, tenantId, channel), incoming: action, log }) }
}

/** Tells the one who clicked, and nobody else. Returns `outcome`. */
export async function whisper(parts: ActParts, action: Action, text: string, outcome: string): Promise<string> {
  const { channel, root } = action.place
  await parts.workspace
    .call('chat.postEphemeral', { channel, user: action.author, ...(root ? { thread_ts: root } : {}), text, link_names: false })
    .catch((error: unknown) => parts.log.info({ refusal: refusalOf(error) }, 'whisper not shown'))
  return outcome
}
