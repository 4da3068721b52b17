import { App } from '@slack/bolt'
import { z } from 'zod'
import { NuraError } from '#db/nura-error.ts'
import { isChannelApproved } from '#db/shared/slack-installations.ts'
import { createIntake, usualIntake } from '../intake.ts'
import { definePlatform } from '../platform.ts'
import type { OpenPlatform, PlatformParts } from '../platform.ts'
import { act } from './act.ts'
import { isFinal, isTokenDead, toSlackLogger, withSlash } from './call.ts'
import { createConversation } from './conversation.ts'
import { greet } from './greet.ts'
import { createWorkspaces } from './installations.ts'
import type { Workspace } from './installations.ts'
import { listen } from './listeners.ts'
import { createOAuth, installPath, redirectPath } from './oauth.ts'
import { eventsPath, takeRequest } from './receiver.ts'
import { openSocket } from './socket.ts'

const secret = (what: string) => z.string().min(8, `is too short to be ${what}; copy it from your app at api.slack.com/apps`).optional()

const env = {
  SLACK_SIGNING_SECRET: secret('the signing secret'),
  SLACK_BOT_TOKEN: z.string().startsWith('xoxb-', 'must be a bot token (xoxb-…); install the app and copy it').optional(),
  SLACK_CLIENT_ID: z.string().optional(),
  SLACK_CLIENT_SECRET: secret('the client secret'),
  SLACK_STATE_SECRET: secret('a state secret: any random text'),
  SLACK_APP_TOKEN: z.string().startsWith('xapp-', 'must be an app-level token (xapp-…) with connections:write').optional(),
  SLACK_HELP_GROUP: z.string().regex(/^S[A-Z0-9]{2,}$/, 'must be the id of a user group (S…); copy it from the group in Slack').optional(),
  SLACK_API_URL: z.url({ protocol: /^https?$/, error: 'must be the address of a Slack Web API, such as https://slack.com/api/' }).optional(),
}

export type SlackConfig = {
  signingSecret: string | null
  appToken: string | null
  botToken: string | null
  client: { id: string; secret: string; stateSecret: string } | null
  /** User group that is called when an answer abstains and its asker wants that. */
  helpGroup: string | null
  apiUrl: string | null
}

/** Null when Slack is not configured. @throws NuraError `bad-environment` when it is by halves or twice. */
export function toSlackConfig(given: z.output<z.ZodObject<typeof env>>): SlackConfig | null {
  const { SLACK_SIGNING_SECRET: signingSecret, SLACK_BOT_TOKEN: botToken, SLACK_APP_TOKEN: appToken, SLACK_CLIENT_ID: id, SLACK_CLIENT_SECRET: clientSecret, SLACK_STATE_SECRET: stateSecret } = given
  if (!signingSecret && !botToken && !appToken && !id && !clientSecret && !stateSecret) return null
  const faults = [
    !signingSecret && !appToken && 'SLACK_SIGNING_SECRET: is missing; without it nobody could tell Slack from others (or set SLACK_APP_TOKEN for Socket Mode)',
    !botToken && !id && 'SLACK_BOT_TOKEN: is missing; set it for one workspace, or SLACK_CLIENT_ID, SLACK_CLIENT_SECRET and SLACK_STATE_SECRET for many',
    botToken && id && 'SLACK_BOT_TOKEN: contradicts SLACK_CLIENT_ID; keep the token for one workspace or the client for many',
    id && given.SLACK_HELP_GROUP && 'SLACK_HELP_GROUP: names a group of one workspace; it works with SLACK_BOT_TOKEN, not with SLACK_CLIENT_ID',
    id && !clientSecret && 'SLACK_CLIENT_SECRET: is missing; it belongs to SLACK_CLIENT_ID',
    id && !stateSecret && 'SLACK_STATE_SECRET: is missing; set any random text',
  ].filter((fault) => typeof fault === 'string')
  if (faults.length > 0) throw new NuraError('bad-environment', `The environment is not usable:\n${faults.map((fault) => `  ${fault}`).join('\n')}`)
  return {
    signingSecret: signingSecret ?? null,
    appToken: appToken ?? null,
    botToken: botToken ?? null,
    client: id && clientSecret && stateSecret ? { id, secret: clientSecret, stateSecret } : null,
    helpGroup: given.SLACK_HELP_GROUP ?? null,
    apiUrl: given.SLACK_API_URL ?? null,
  }
}

export const slack = definePlatform({
  name: 'slack',
  env,
  check: (given) => void toSlackConfig(given),
  async open(given, parts) {
    const config = toSlackConfig(given)
    return config === null ? null : await openSlack(config, parts)
  },
})

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
