import { NuraError } from '#db/nura-error.ts'
import { createIntake, usualIntake } from '../intake.ts'
import type { Incoming, OpenPlatform, Place, PlatformParts } from '../platform.ts'
import { act } from './act.ts'
import { admit } from './admission.ts'
import { createConnector, isFinal, isGone } from './connector.ts'
import type { Connector } from './connector.ts'
import { createConversation } from './conversation.ts'
import { createVerify } from './identity.ts'
import { toOrigin, toReading } from './incoming.ts'
import { createInstallations } from './installations.ts'
import type { Standing } from './installations.ts'
import type { ReceivedActivity } from './received-activity.ts'
import { messagesPath, takeRequest } from './receiver.ts'
import { createRoster } from './roster.ts'
import type { Roster } from './roster.ts'
import { createPassed } from './passed.ts'
import { readContext } from './thread-context.ts'
import type { Context } from './thread-context.ts'
import { isConnectorUrl } from './to-teams-config.ts'
import type { TeamsConfig } from './to-teams-config.ts'
import { createTokens } from './tokens.ts'

const microsoftLogin = 'https://login.microsoftonline.com'
const microsoftGraph = 'https://graph.microsoft.com'
const connectorScope = 'https://api.botframework.com'

/** Teams as its keys configure it. */
export function openTeams(config: TeamsConfig, parts: PlatformParts): OpenPlatform {
  const { db, api, log } = parts
  const verify = createVerify(config)
  const tokens = createTokens({
    appId: config.appId,
    appPassword: config.appPassword,
    loginUrl: config.overrides?.ToChannelFromBotLoginUrl ?? `${microsoftLogin}/${config.directoryId ?? 'botframework.com'}`,
    connectorScope: toScope(config.overrides?.ToChannelFromBotOAuthScope ?? connectorScope),
    graphScope: toScope(config.graphUrl === null ? microsoftGraph : new URL(config.graphUrl).origin),
  })
  const single = config.directoryId === null ? null : { directoryId: config.directoryId, tenantId: parts.tenantId }
  const installations = createInstallations({ db, log, single, provisionTenant: parts.provisionTenant })
  const passed = createPassed()
  /** By directory and address: the limits that a connector keeps, and what a roster remembers, are the directory's. */
  const lines = new Map<string, { connector: Connector; roster: Roster }>()
  // The identity provider may be away when we start: it is asked again with whatever needs a token.
  tokens.connectorToken().catch((error: unknown) => log.warn({ err: error }, 'teams not ready yet'))

  function lineTo(directoryId: string, { serviceUrl }: Standing): { connector: Connector; roster: Roster } {
    const key = `${directoryId} ${serviceUrl}`
    const known = lines.get(key)
    if (known) return known
    const token = () => tokens.connectorToken()
    const line = { connector: createConnector({ serviceUrl, token, log }), roster: createRoster({ serviceUrl, directoryId, token }) }
    lines.set(key, line)
    return line
  }

  const intake = createIntake(usualIntake)

  /** Whether it is known what to do with an activity. What it asks for is done by a turn. */
  async function take(activity: ReceivedActivity): Promise<boolean> {
    if (activity.type === 'message' && activity.id && activity.conversation?.id) passed.note(activity.conversation.id, activity.id)
    const reading = toReading(activity)
    if ('ignored' in reading) {
      log.debug({ reason: reading.ignored }, 'teams activity ignored')
      return !reading.ignored.startsWith('invoke-')
    }
    const origin = toOrigin(activity)
    if (!origin) return true
    const sent = { at: toTime(activity.timestamp), serviceUrl: activity.serviceUrl }
    if ('installation' in reading) {
      await (reading.installation === 'added' ? installations.add(origin, sent) : installations.remove(origin, sent.at))
      return true
    }
    const tenantId = await installations.tenantOf(origin, sent)
    if (tenantId === null) log.info('activity of a directory or conversation without Nura ignored')
    else await parts.receive(tenantId, reading.incoming, { now: reading.incoming.kind === 'action' })
    return true
  }

  /** What was said before, for those who may see it: nothing is asked for unless the conversation is answered. */
  function contextOf(incoming: Incoming, { team }: Standing): Promise<Context> {
    const { workspace } = incoming.place
    return readContext({ incoming, graphUrl: config.graphUrl, token: () => tokens.graphToken(workspace), appId: config.appId, groupId: team?.groupId ?? null, isChannel: isThread(incoming.place) })
  }

  return {
    name: 'teams',
    // Managers ask here.
    prefer: 'pm',
    async middleware(ctx, next) {
      if (ctx.method !== 'POST' || ctx.path !== messagesPath) return await next()
      await takeRequest(ctx, { verify, isConnector: (serviceUrl) => isConnectorUrl(serviceUrl, config), take, intake, log })
    },
    async ready() {
      await tokens.connectorToken()
    },
    async converse(tenantId, incoming, run) {
      const standing = await installations.find(tenantId, incoming.place)
      const { connector, roster } = lineTo(incoming.place.workspace, standing)
      return createConversation({
        connector,
        incoming,
        inboxId: run.inboxId,
        shown: run.shown,
        mayHavePosted: run.attempt > 1,
        botId: standing.botId,
        admit: () => admit({ roster, incoming, teamId: standing.team?.id ?? null, log: run.log }),
        readContext: () => contextOf(incoming, standing),
        passed: () => passed.since(incoming.place.channel, incoming.place.direct || isThread(incoming.place) ? '' : incoming.id),
        log: run.log,
      })
    },
    async act(tenantId, action) {
      const standing = await installations.find(tenantId, action.place)
      const { connector, roster } = lineTo(action.place.workspace, standing)
      const admitted = () => admit({ roster, incoming: action, teamId: standing.team?.id ?? null, log })
      return await act({ db, api, log, tenantId, receive: parts.receive, queue: parts.queue, admit: admitted, connector }, action)
    },
    judge(error) {
      if (isGone(error) || (error instanceof NuraError && error.code === 'unknown-workspace')) return 'uninstalled'
      return isFinal(error) ? 'undeliverable' : null
    },
    async close() {
      lines.clear()
    },
  }
}

/** Only in a channel does a thread have a root of its own; a chat is one transcript. */
function isThread({ channel, root, direct }: Place): boolean {
  return !direct && root !== channel
}

function toScope(resource: string): string {
  return resource.endsWith('/.default') ? resource : `${resource.replace(/\/+$/, '')}/.default`
}

/** Without a time of its own, an activity was sent when it came. */
function toTime(timestamp: string | undefined): Date {
  const at = Date.parse(timestamp ?? '')
  return Number.isNaN(at) ? new Date() : new Date(at)
}
