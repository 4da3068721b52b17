import type { Logger } from 'pino'
import type { Db } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { findDirectoryTenant, findTeamsChannel, findTeamsInstallation, noteTeamsChannel, noteTeamsInstallation, noteTeamsRemoval } from '#db/shared/teams-installations.ts'
import type { PlatformParts, Place } from '../platform.ts'
import type { Origin } from './incoming.ts'

/** When, and by which connector, an activity was sent. */
export type Sent = { at: Date; serviceUrl: string }

/** Where Nura stands in a conversation. */
export type Standing = {
  tenantId: string
  botId: string
  serviceUrl: string
  /** The team of a channel; null in a chat. */
  team: { id: string; /** Its id in the directory, null where Teams has not told it. */ groupId: string | null } | null
}

export type Installations = {
  /** The tenant of a verified activity; only this decides it. Null where Nura is not installed, or was not when it was sent. */
  tenantOf(origin: Origin, sent: Sent): Promise<string | null>
  /** Nura was installed. A directory that belongs to nobody yet gets a tenant of its own, where many directories are served. */
  add(origin: Origin, sent: Sent): Promise<void>
  /** Nura was taken out at `at`; an installation that was made later stays. */
  remove(origin: Origin, at: Date): Promise<void>
  /** Where Nura stands in the conversation of a stored row. @throws NuraError `unknown-workspace` where it no longer does */
  find(tenantId: string, place: Place): Promise<Standing>
}

export type InstallationsParts = {
  db: Db
  log: Logger
  /** The one directory that is served, and whose it is; null where many are. */
  single: { directoryId: string; tenantId: string } | null
  provisionTenant: PlatformParts['provisionTenant']
}

const mostKept = 5000

export function createInstallations({ db, log, single, provisionTenant }: InstallationsParts): Installations {
  /** Channels whose team is written down, with what is written. */
  const noted = new Map<string, string>()

  async function ownerOf(directoryId: string): Promise<string | null> {
    if (single) return directoryId.toLowerCase() === single.directoryId.toLowerCase() ? single.tenantId : null
    return await findDirectoryTenant(db, directoryId)
  }

  async function note(tenantId: string, { directoryId, scopeId, botId, channel }: Origin, { at, serviceUrl }: Sent): Promise<void> {
    const known = await findTeamsInstallation(db, { directoryId, scopeId })
    const isSame = known?.tenantId === tenantId && known.botId === botId && known.serviceUrl === serviceUrl
    if (!isSame) await noteTeamsInstallation(db, { directoryId, scopeId, tenantId, botId, serviceUrl }, at)
    if (channel) await noteChannel(tenantId, directoryId, channel)
  }

  async function noteChannel(tenantId: string, directoryId: string, { id: channelId, teamId, groupId }: NonNullable<Origin['channel']>): Promise<void> {
    const key = `${directoryId} ${channelId}`
    const value = `${tenantId} ${teamId} ${groupId}`
    if (noted.get(key) === value) return
    await noteTeamsChannel(db, tenantId, { directoryId, channelId, teamId, groupId })
    if (noted.size >= mostKept) noted.clear()
    noted.set(key, value)
  }

  return {
    async tenantOf(origin, sent) {
      const tenantId = await ownerOf(origin.directoryId)
      if (tenantId === null) return null
      // Whoever can write to Nura has it installed, also where that was never told: the message itself says so.
      await note(tenantId, origin, sent)
      return (await findTeamsInstallation(db, origin)) === null ? null : tenantId
    },
    async add(origin, sent) {
      const { directoryId } = origin
      const tenantId = single ? await ownerOf(directoryId) : (await provisionTenant({ surface: 'teams', id: directoryId, name: directoryId })).id
      if (tenantId === null) return log.warn({ directory: directoryId }, 'installed in another directory than MicrosoftAppTenantId; nothing there is answered')
      await noteTeamsInstallation(db, { directoryId, scopeId: origin.scopeId, tenantId, botId: origin.botId, serviceUrl: sent.serviceUrl }, sent.at)
      if (origin.channel) await noteChannel(tenantId, directoryId, origin.channel)
      log.info({ directory: directoryId, tenantId }, 'installed in teams')
    },
    async remove(origin, at) {
      const tenantId = await ownerOf(origin.directoryId)
      if (tenantId !== null) await noteTeamsRemoval(db, tenantId, origin, at)
    },
    async find(tenantId, { workspace: directoryId, channel: channelId }) {
      const channel = await findTeamsChannel(db, directoryId, channelId)
      const installation = await findTeamsInstallation(db, { directoryId, scopeId: channel?.teamId ?? channelId })
      if (!installation) throw new NuraError('unknown-workspace', 'Nura is no longer installed in this conversation.')
      if ((await ownerOf(directoryId)) !== tenantId) throw new NuraError('unknown-workspace', 'This directory belongs to another tenant now.')
      return { tenantId, botId: installation.botId, serviceUrl: installation.serviceUrl, team: channel ? { id: channel.teamId, groupId: channel.groupId } : null }
    },
  }
}
