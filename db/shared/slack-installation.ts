import { defineEntity, p, type InferEntity } from '@mikro-orm/core'

/** The app in one Slack workspace or organisation. Rows of uninstalled apps keep no token. */
export const SlackInstallationRow = defineEntity({
  name: 'SlackInstallationRow',
  tableName: 'slack_installation',
  schema: 'nura',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    teamId: p.text().nullable(),
    enterpriseId: p.text().nullable(),
    installation: p.json<Record<string, unknown>>(),
    /** Encrypted; see `keys/secrets.ts`. */
    botToken: p.text(),
    botUserId: p.text(),
    installedAt: p.datetime(),
    uninstalledAt: p.datetime().nullable(),
  },
})
export type SlackInstallationRow = InferEntity<typeof SlackInstallationRow>
