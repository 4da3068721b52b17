import { randomUUID } from 'node:crypto'
import { controlAtOnce } from '../at-once.ts'
import type { Db } from '../index.ts'
import { slackTokens } from '../keys/sealed-columns.ts'
import { openSecret, readSecret, writeSecret } from '../keys/secrets.ts'
import { controlRole } from '../roles.ts'
import { NuraError } from '../nura-error.ts'
import { storeOf } from '../store.ts'
import { SlackInstallationRow } from './slack-installation.ts'

/** Where the app is installed: a workspace, or a whole organisation when `teamId` is null. */
export type SlackPlace = { teamId: string | null; enterpriseId: string | null }

export type SlackInstallation = SlackPlace & {
  tenantId: string
  botToken: string
  botUserId: string
  /** What else is worth keeping, without secrets: `botId`, `appId`, `scopes`, `installedBy`. */
  installation: Record<string, unknown>
}

export type FoundSlackInstallation = SlackInstallation & { botId: string | undefined; installedAt: Date }

/**
 * Keeps an installation, replacing what the place had. Its token is stored encrypted only.
 * @throws NuraError `encryption-key-missing`, `unknown-tenant`; `installed-elsewhere` when the place belongs to another tenant
 */
export async function saveInstallation(db: Db, given: SlackInstallation): Promise<void> {
  await writeSecret(storeOf(db), { role: controlRole, schema: 'nura' }, toPlace(given.tenantId), given.botToken, async ({ em, query }, botToken) => {
    await query(`select pg_advisory_xact_lock(hashtext('slack-installation'))`)
    const present = await em.findOne(SlackInstallationRow, toWhere(given))
    if (present && present.tenantId !== given.tenantId && present.uninstalledAt === null) {
      throw new NuraError('installed-elsewhere', 'This Slack workspace belongs to another tenant of this Nura. Uninstall the app there first.')
    }
    const { tenantId, teamId, enterpriseId, botUserId, installation } = given
    const row = { tenantId, teamId, enterpriseId, botUserId, installation, botToken, installedAt: new Date(), uninstalledAt: null }
    if (present) em.assign(present, row)
    else em.persist(em.create(SlackInstallationRow, { id: randomUUID(), ...row }))
  })
}

/**
 * The live installation a payload's place belongs to: the workspace's own, else its organisation's. Read anew for every
 * payload: a workspace that changed hands must not be answered for another second as its former tenant.
 * @throws NuraError `encryption-key-missing`, `encryption-key-wrong`, `secret-unreadable`
 */
export function findInstallation(db: Db, place: SlackPlace): Promise<FoundSlackInstallation | null> {
  return readSecret(() => readInstallation(db, place))
}

async function readInstallation(db: Db, place: SlackPlace): Promise<FoundSlackInstallation | null> {
  const [row] = await controlAtOnce<Omit<FoundSlackInstallation, 'botId'>>(
    db,
    `select tenant_id as "tenantId", team_id as "teamId", enterprise_id as "enterpriseId", bot_token as "botToken", bot_user_id as "botUserId", installation, installed_at as "installedAt"
     from slack_installation where uninstalled_at is null and (team_id = $1 or (team_id is null and enterprise_id = $2))
     order by team_id nulls last, installed_at desc limit 1`,
    [place.teamId, place.enterpriseId],
  )
  if (!row) return null
  const { tenantId, installation } = row
  const botToken = await openSecret(storeOf(db), toPlace(tenantId), row.botToken)
  return { ...row, botToken, botId: typeof installation.botId === 'string' ? installation.botId : undefined }
}

/** Marks an installation as gone and destroys its token, unless it was made after `at`: events may come late. */
export async function deleteInstallation(db: Db, place: SlackPlace, at: Date = new Date()): Promise<boolean> {
  const rows = await db.control((tx) =>
    tx.execute(
      `update slack_installation set uninstalled_at = $3, bot_token = ''
       where uninstalled_at is null and installed_at <= $3 and team_id is not distinct from $1 and ($2::text is null or enterprise_id is not distinct from $2)`,
      [place.teamId, place.enterpriseId, at],
    ),
  )
  return rows > 0
}

/** Lets Nura answer in a channel that outsiders read, because an admin said so. */
export async function approveChannel(db: Db, tenantId: string, channelId: string, approvedBy: string): Promise<void> {
  await db.control((tx) =>
    tx.execute(
      `insert into slack_channel (tenant_id, channel_id, approved_by) values ($1, $2, $3)
       on conflict (tenant_id, channel_id) do update set approved_by = excluded.approved_by, approved_at = now()`,
      [tenantId, channelId, approvedBy],
    ),
  )
}

export async function revokeChannel(db: Db, tenantId: string, channelId: string): Promise<void> {
  await db.control((tx) => tx.execute('delete from slack_channel where tenant_id = $1 and channel_id = $2', [tenantId, channelId]))
}

export async function isChannelApproved(db: Db, tenantId: string, channelId: string): Promise<boolean> {
  return (await db.control((tx) => tx.query('select 1 from slack_channel where tenant_id = $1 and channel_id = $2', [tenantId, channelId]))).length > 0
}

function toWhere({ teamId, enterpriseId }: SlackPlace) {
  return { teamId, enterpriseId }
}

function toPlace(tenantId: string) {
  return { tenantId, context: slackTokens.toContext(tenantId, '') }
}
