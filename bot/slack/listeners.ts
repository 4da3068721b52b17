import type { AllMiddlewareArgs, App } from '@slack/bolt'
import type { Logger } from 'pino'
import { NuraError } from '#db/nura-error.ts'
import type { PlatformParts } from '../platform.ts'
import { toClick, toCommand, toIncoming, toStop, toSubmission } from './incoming.ts'
import type { EventEnvelope, Reading } from './incoming.ts'
import type { Workspace, Workspaces } from './installations.ts'

export type ListenerParts = {
  log: Logger
  workspaces: Workspaces
  receive: PlatformParts['receive']
  /** Greets on App Home and in a new direct conversation; best effort. */
  greet(workspace: Workspace, event: Greeting): Promise<void>
}

export type Greeting = { kind: 'home' | 'messages'; user: string; channel: string; root?: string }

/** Every listener takes the payload, reads it, and stores it: what it asks for is done by a turn. */
export function listen(app: App, parts: ListenerParts): void {
  const keep = async ({ context }: Pick<AllMiddlewareArgs, 'context'>, reading: Reading, options = { now: false }) => {
    if ('ignored' in reading) return parts.log.debug({ reason: reading.ignored }, 'slack payload ignored')
    await parts.receive(workspaceOf(context).tenantId, reading.incoming, options)
  }

  app.event('app_mention', async ({ body, context }) => keep({ context }, toIncoming(body as EventEnvelope, workspaceOf(context).self)))
  app.event('message', async ({ body, context }) => keep({ context }, toIncoming(body as EventEnvelope, workspaceOf(context).self)))

  app.event('agent_session_stopped', async ({ event, context }) => keep({ context }, toStop(event, workspaceOf(context).self)))

  app.action(/.*/, async ({ body, context, ack }) => {
    await ack()
    await keep({ context }, toClick(body as never, workspaceOf(context).self, requestIdOf(context)), { now: true })
  })
  app.view(/.*/, async ({ body, context, ack }) => {
    await ack()
    await keep({ context }, toSubmission(body as never, workspaceOf(context).self, requestIdOf(context)))
  })
  app.command(/.*/, async ({ body, context, ack }) => {
    await keep({ context }, toCommand(body as never, workspaceOf(context).self, requestIdOf(context)), { now: true })
    await ack()
  })

  app.event('app_home_opened', async ({ event, context }) => {
    if (event.user && event.channel) await parts.greet(workspaceOf(context), { kind: event.tab === 'home' ? 'home' : 'messages', user: event.user, channel: event.channel })
  })
  app.event('assistant_thread_started', async ({ event, context }) => {
    const { channel_id: channel, thread_ts: root, user_id: user } = event.assistant_thread ?? {}
    if (channel && root && user) await parts.greet(workspaceOf(context), { kind: 'messages', user, channel, root })
  })

  // Both arrive when an app is removed, in either order, and may arrive after it was installed again.
  app.event('app_uninstalled', async ({ body }) => parts.workspaces.remove({ teamId: body.team_id, at: timeOf(body) }))
  app.event('tokens_revoked', async ({ body, event }) => {
    if ((event.tokens?.bot?.length ?? 0) > 0) await parts.workspaces.remove({ teamId: body.team_id, at: timeOf(body) })
  })

  app.error(async (error) => {
    const cause = causeOf(error)
    if (cause?.code === 'unknown-workspace') return parts.log.info('event of a workspace without Nura ignored')
    throw error
  })
}

/** Events carry whole seconds: the end of that second, so that an uninstall in the second of an install counts. */
function timeOf(body: { event_time?: number }): Date {
  return body.event_time === undefined ? new Date() : new Date(body.event_time * 1000 + 999)
}

function workspaceOf(context: Record<string, unknown>): Workspace {
  const workspace = context.workspace as Workspace | undefined
  if (!workspace) throw new NuraError('internal', 'A Slack payload came without its workspace.')
  return workspace
}

function requestIdOf(context: Record<string, unknown>): string {
  if (typeof context.requestId !== 'string') throw new NuraError('internal', 'A Slack request came without its identity.')
  return context.requestId
}

function causeOf(error: unknown): NuraError | null {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; depth++) {
    if (at instanceof NuraError) return at
    at = 'original' in at ? at.original : at.cause
  }
  return null
}
