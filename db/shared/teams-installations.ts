import type { Db } from '../index.ts'
import { findWorkspaceTenant } from './workspaces.ts'

/**
 * What Nura is installed in: a team, a group chat or the chat with one person. `scopeId` is the id that Teams gives it;
 * the channels of a team share the team's.
 */
export type TeamsScope = { directoryId: string; scopeId: string }

export type TeamsInstallation = TeamsScope & {
  tenantId: string
  /** Nura's own account there, such as `28:…`. */
  botId: string
  /** Where the connector of this directory is. Kept from verified activities only. */
  serviceUrl: string
}

/** The team that a channel belongs to; `groupId` is its id in the directory, null until Teams has told it. */
export type TeamsChannel = { directoryId: string; channelId: string; teamId: string; groupId: string | null }

/**
 * Notes that Nura stood in a scope at `at`. Told in whatever order, installations and removals end in the same state: the
 * later of them counts.
 */
export async function noteTeamsInstallation(db: Db, given: TeamsInstallation, at: Date): Promise<void> {
  await db.control((tx) =>
    tx.execute(
      `insert into teams_installation as present (directory_id, scope_id, tenant_id, bot_id, service_url, installed_at) values ($1, $2, $3, $4, $5, $6)
       on conflict (directory_id, scope_id) do update set
         tenant_id = excluded.tenant_id,
         bot_id = case when excluded.installed_at >= coalesce(present.installed_at, '-infinity') then excluded.bot_id else present.bot_id end,
         service_url = case when excluded.installed_at >= coalesce(present.installed_at, '-infinity') then excluded.service_url else present.service_url end,
         installed_at = greatest(present.installed_at, excluded.installed_at)`,
      [given.directoryId, given.scopeId, given.tenantId, given.botId, given.serviceUrl, at],
    ),
  )
}

/** Notes that Nura was taken out of a scope at `at`, also where its installation is told only later. */
export async function noteTeamsRemoval(db: Db, tenantId: string, scope: TeamsScope, at: Date): Promise<void> {
  await db.control((tx) =>
    tx.execute(
      `insert into teams_installation as present (directory_id, scope_id, tenant_id, removed_at) values ($1, $2, $3, $4)
       on conflict (directory_id, scope_id) do update set removed_at = greatest(present.removed_at, excluded.removed_at)`,
      [scope.directoryId, scope.scopeId, tenantId, at],
    ),
  )
}

/** The installation of a scope, or null where Nura is not, or no longer, installed. */
export async function findTeamsInstallation(db: Db, { directoryId, scopeId }: TeamsScope): Promise<TeamsInstallation | null> {
  const [row] = await db.control((tx) =>
    tx.query<Omit<TeamsInstallation, keyof TeamsScope>>(
      `select tenant_id as "tenantId", bot_id as "botId", service_url as "serviceUrl" from teams_installation
       where directory_id = $1 and scope_id = $2 and installed_at > coalesce(removed_at, '-infinity')`,
      [directoryId, scopeId],
    ),
  )
  return row ? { directoryId, scopeId, ...row } : null
}

/** Notes which team a channel belongs to. */
export async function noteTeamsChannel(db: Db, tenantId: string, { directoryId, channelId, teamId, groupId }: TeamsChannel): Promise<void> {
  await db.control((tx) =>
    tx.execute(
      `insert into teams_channel as present (directory_id, channel_id, tenant_id, team_id, group_id) values ($1, $2, $3, $4, $5)
       on conflict (directory_id, channel_id) do update set tenant_id = excluded.tenant_id, team_id = excluded.team_id, group_id = coalesce(excluded.group_id, present.group_id)`,
      [directoryId, channelId, tenantId, teamId, groupId],
    ),
  )
}

/** The team of a channel; null for a chat. */
export async function findTeamsChannel(db: Db, directoryId: string, channelId: string): Promise<TeamsChannel | null> {
  const [row] = await db.control((tx) =>
    tx.query<{ teamId: string; groupId: string | null }>('select team_id as "teamId", group_id as "groupId" from teams_channel where directory_id = $1 and channel_id = $2', [directoryId, channelId]),
  )
  return row ? { directoryId, channelId, ...row } : null
}

/** The tenant that a directory was bound to, by an operator or by its first installation; null when to none. */
export async function findDirectoryTenant(db: Db, directoryId: string): Promise<string | null> {
  return await findWorkspaceTenant(db, { surface: 'teams', id: directoryId })
}
