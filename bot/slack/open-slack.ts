import { App } from '@slack/bolt'
import { NuraError } from '#db/nura-error.ts'
import { isChannelApproved } from '#db/shared/slack-installations.ts'
import { createIntake, usualIntake } from '../intake.ts'
import type { OpenPlatform, PlatformParts } from '../platform.ts'
import { act } from './act.ts'
import { isFinal, isTokenDead, toSlackLogger, withSlash } from './call.ts'
import { createConversation } from './conversation.ts'
import { greet } from './greet.ts'
import type { SlackConfig } from './index.ts'
import { createWorkspaces } from './installations.ts'
import type { Workspace } from './installations.ts'
import { listen } from './listeners.ts'
import { createOAuth, installPath, redirectPath } from './oauth.ts'
import { eventsPath, takeRequest } from './receiver.ts'
import { openSocket } from './socket.ts'

/** Slack as its keys configure it. */
export async function openSlack(config: SlackConfig, parts: PlatformParts): Promise<OpenPlatform> {
  const { db, log, api } = parts
  const workspaces = createWorkspaces({ db, log, apiUrl: config.apiUrl, single: config.botToken === null ? null : { token: config.botToken, tenantId: parts.tenantId } })
  const running = new Set<Promise<void>>()
  const intake = createIntake(usualIntake)
  const app = new App({
    receiver: { init: () => undefined, start: async () => undefined, stop: async () => undefined },
    authorize: async ({ teamId, enterpriseId }) => {
      const workspace = await workspaces.find({ teamId, enterpriseId })
      return { botToken: workspace.token, botUserId: workspace.self.botUserId, botId: workspace.self.botId, teamId: workspace.self.teamId, workspace }
    },
    // Every bot is ignored by `toIncoming`, with its reason.
    ignoreSelf: false,
    logger: toSlackLogger(log),
    ...(config.apiUrl ? { clientOptions: { slackApiUrl: withSlash(config.apiUrl) } } : {}),
  })
  listen(app, {
    log,
    workspaces,
    receive: parts.receive,
    // Not waited for: a greeting is no reason to be late with the acknowledgement.
    async greet(workspace, greeting) {
      const greeted: Promise<void> = greet({ db, api, log }, workspace, greeting)
        .catch((error: unknown) => log.warn({ err: error }, 'greeting failed'))
        .finally(() => running.delete(greeted))
      running.add(greeted)
    },
  })
  const oauth = config.client ? createOAuth({ db, log, apiUrl: config.apiUrl, client: config.client, provisionTenant: parts.provisionTenant }) : null
  const socket = config.appToken === null ? null : openSocket({ appToken: config.appToken, apiUrl: config.apiUrl, app, log })
  // Slack may be away when we start: who we are is then asked when the first event comes.
  workspaces.ready().catch((error: unknown) => log.warn({ err: error }, 'slack not ready yet'))
  socket?.start()

  return {
    name: 'slack',
    async middleware(ctx, next) {
      if (ctx.method === 'POST' && ctx.path === eventsPath && config.signingSecret !== null) return await takeRequest(ctx, { app, signingSecret: config.signingSecret, intake, log })
      if (ctx.method === 'GET' && ctx.path === installPath && oauth) return await oauth.install(ctx)
      if (ctx.method === 'GET' && ctx.path === redirectPath && oauth) return await oauth.redirect(ctx)
      await next()
    },
    async ready() {
      await workspaces.ready()
      socket?.ready()
    },
    async converse(tenantId, incoming, run) {
      const workspace = await find(tenantId, incoming.place.workspace)
      const conversation = createConversation({
        call: workspace.call,
        self: workspace.self,
        directory: workspace.directory,
        refusedStatus: workspace.refusedStatus,
        isApproved: (channel) => isChannelApproved(db, tenantId, channel),
        hasHelpGroup: config.helpGroup !== null,
        incoming,
        inboxId: run.inboxId,
        shown: run.shown,
        mayHavePosted: run.attempt > 1,
        log: run.log,
      })
      return conversation
    },
    act: async (tenantId, action, inboxId) =>
      await act({ db, api, log, workspace: await find(tenantId, action.place.workspace), receive: parts.receive, queue: parts.queue, helpGroup: config.helpGroup, inboxId }, action),
    judge(error) {
      if (isTokenDead(error) || (error instanceof NuraError && error.code === 'unknown-workspace')) return 'uninstalled'
      return isFinal(error) ? 'undeliverable' : null
    },
    async close() {
      await socket?.stop()
      await Promise.allSettled(running)
    },
  }

  /** The workspace of a stored row; its tenant must still be the one that the row was stored for. */
  async function find(tenantId: string, teamId: string): Promise<Workspace> {
    const workspace = await workspaces.find({ teamId, enterpriseId: undefined })
    if (workspace.tenantId !== tenantId) throw new NuraError('unknown-workspace', 'This workspace belongs to another tenant now.')
    return workspace
  }
}
