import type { Logger } from 'pino'
import type { Db } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { deleteInstallation, findInstallation } from '#db/shared/slack-installations.ts'
import { createSlackCall, isTokenDead } from './call.ts'
import type { SlackCall } from './call.ts'
import type { Self } from './incoming.ts'
import { createDirectory } from './people.ts'
import type { Directory } from './people.ts'
import type { RefusedStatus } from './status.ts'

/** A workspace that Nura is installed in: whose tenant it is, and how to speak there. */
export type Workspace = { tenantId: string; self: Self; token: string; call: SlackCall; directory: Directory; refusedStatus: RefusedStatus }

export type Workspaces = {
  /**
   * The workspace of a verified payload. Only this decides the tenant.
   * @throws NuraError `unknown-workspace` when Nura is not installed there, `slack-unready` while that cannot be told
   */
  find(team: { teamId: string | undefined; enterpriseId: string | undefined }): Promise<Workspace>
  /** Takes an installation away that Slack says is gone at `at`; one that was made later stays. */
  remove(team: { teamId: string; at: Date }): Promise<void>
  ready(): Promise<void>
}

export type WorkspacesParts = { db: Db; log: Logger; apiUrl: string | null; single: { token: string; tenantId: string } | null }

/** Milliseconds before Slack is asked again who a token belongs to. */
const askAgainMs = 5_000

export function createWorkspaces(parts: WorkspacesParts): Workspaces {
  const known = new Map<string, Workspace>()
  let single: Promise<Workspace> | null = null
  let askedAt = 0

  function open(tenantId: string, token: string, self: Self): Workspace {
    const kept = known.get(self.teamId)
    if (kept?.token === token && kept.tenantId === tenantId) return kept
    const call = createSlackCall({ token, apiUrl: parts.apiUrl, teamId: self.teamId, log: parts.log })
    const workspace = { tenantId, token, self, call, directory: createDirectory(call, self.teamId), refusedStatus: new Map() }
    known.set(self.teamId, workspace)
    return workspace
  }

  /** The workspace of the one configured token: Slack says which it is. Asked again while Slack is away. */
  function identify(): Promise<Workspace> | null {
    const own = parts.single
    if (!own) return null
    if (single) return single
    if (Date.now() - askedAt < askAgainMs) return Promise.reject(new NuraError('slack-unready', 'Slack has not said yet which workspace SLACK_BOT_TOKEN belongs to.', { retryable: true }))
    askedAt = Date.now()
    const call = createSlackCall({ token: own.token, apiUrl: parts.apiUrl, log: parts.log })
    single = call('auth.test', {}, { patience: 0 }).then(
      (who) => open(own.tenantId, own.token, { teamId: String(who.team_id), botUserId: String(who.user_id), botId: typeof who.bot_id === 'string' ? who.bot_id : undefined }),
      (error: unknown) => {
        single = null
        if (isTokenDead(error)) parts.log.error({ err: error }, 'SLACK_BOT_TOKEN is refused: install the app again and set the new token')
        throw new NuraError('slack-unready', 'Slack has not said yet which workspace SLACK_BOT_TOKEN belongs to.', { retryable: true, cause: error })
      },
    )
    single.catch(() => undefined)
    return single
  }

  return {
    async find({ teamId, enterpriseId }) {
      const own = await identify()
      if (own && own.self.teamId === teamId) return own
      const installation = await findInstallation(parts.db, { teamId: teamId ?? null, enterpriseId: enterpriseId ?? null })
      if (!installation) throw new NuraError('unknown-workspace', 'Nura is not installed in this workspace.')
      return open(installation.tenantId, installation.botToken, { teamId: teamId ?? installation.teamId ?? '', botUserId: installation.botUserId, botId: installation.botId })
    },
    async remove({ teamId, at }) {
      known.delete(teamId)
      await deleteInstallation(parts.db, { teamId, enterpriseId: null }, at)
    },
    async ready() {
      await identify()
    },
  }
}
