import { createHmac, randomBytes } from 'node:crypto'
import { InstallProvider } from '@slack/oauth'
import type { Installation } from '@slack/oauth'
import type { Context } from 'koa'
import type { Logger } from 'pino'
import type { Db } from '#db/index.ts'
import { saveInstallation } from '#db/shared/slack-installations.ts'
import { issueState, useState } from '#db/shared/slack-oauth-states.ts'
import { toSlackLogger, withSlash } from './call.ts'
import { scopes } from './scopes.ts'

export const installPath = '/slack/install'
export const redirectPath = '/slack/oauth_redirect'
const stateMs = 10 * 60_000

export type OAuthParts = {
  db: Db
  log: Logger
  apiUrl: string | null
  client: { id: string; secret: string; stateSecret: string }
  provisionTenant(workspace: { surface: string; id: string; name: string }): Promise<{ id: string }>
}

/** Installing Nura in one more workspace: a random state, used once, within ten minutes, by the browser it was given to. */
export function createOAuth(parts: OAuthParts): { install(ctx: Context): Promise<void>; redirect(ctx: Context): Promise<void> } {
  const toId = (state: string) => createHmac('sha256', parts.client.stateSecret).update(state).digest('hex')
  const api = parts.apiUrl
  const provider = new InstallProvider({
    clientId: parts.client.id,
    clientSecret: parts.client.secret,
    directInstall: true,
    logger: toSlackLogger(parts.log),
    installUrlOptions: { scopes },
    ...(api ? { clientOptions: { slackApiUrl: withSlash(api) }, authorizationUrl: new URL('/oauth/v2/authorize', api).href } : {}),
    stateStore: {
      async generateStateParam() {
        const state = randomBytes(32).toString('base64url')
        await issueState(parts.db, toId(state), new Date(Date.now() + stateMs))
        return state
      },
      async verifyStateParam(now, state) {
        if (!(await useState(parts.db, toId(state), now))) throw new Error('the state was used before or is too old')
        return { scopes }
      },
    },
    installationStore: {
      storeInstallation: (installation) => store(parts, installation as Installation<'v2'>),
      fetchInstallation: async () => {
        throw new Error('installations are read from the database')
      },
    },
  })
  return {
    async install(ctx) {
      ctx.respond = false
      await provider.handleInstallPath(ctx.req, ctx.res)
    },
    async redirect(ctx) {
      ctx.respond = false
      const end = (status: number, text: string) => {
        ctx.res.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
        ctx.res.end(text)
      }
      await provider.handleCallback(ctx.req, ctx.res, {
        success: () => end(200, 'Nura is installed. Invite it to a channel with /invite @nura and ask away.'),
        failure: (error) => {
          parts.log.warn({ err: error }, 'slack installation refused')
          end(400, 'Nura was not installed: this link was used before, is too old, or belongs to another browser. Start again at /slack/install.')
        },
      })
    },
  }
}

async function store(parts: OAuthParts, installation: Installation<'v2'>): Promise<void> {
  const id = installation.team?.id ?? installation.enterprise?.id
  const { bot } = installation
  if (!id || !bot) throw new Error('Slack named no workspace or gave no bot token')
  const tenant = await parts.provisionTenant({ surface: 'slack', id, name: installation.team?.name ?? installation.enterprise?.name ?? id })
  await saveInstallation(parts.db, {
    tenantId: tenant.id,
    teamId: installation.team?.id ?? null,
    enterpriseId: installation.team ? null : (installation.enterprise?.id ?? null),
    botToken: bot.token,
    botUserId: bot.userId,
    installation: { botId: bot.id, appId: installation.appId ?? null, scopes: bot.scopes, installedBy: installation.user.id, enterpriseId: installation.enterprise?.id ?? null },
  })
  parts.log.info({ team: id, tenantId: tenant.id }, 'installed in a slack workspace')
}
