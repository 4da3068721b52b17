import { z } from 'zod'
import { NuraError } from '#db/nura-error.ts'
import { definePlatform } from '../platform.ts'

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
    // Slack's SDK is loaded only where it is configured.
    return config === null ? null : (await import('./open-slack.ts')).openSlack(config, parts)
  },
})
