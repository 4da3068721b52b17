import type { Context } from 'koa'
import type { Logger } from 'pino'
import { parseJson } from '#server/middleware/parse-json.ts'
import { answerPlatform } from '../answer-platform.ts'
import type { Intake } from '../intake.ts'
import { readBody } from '../read-body.ts'
import type { Verdict } from './identity.ts'
import { ReceivedActivity } from './received-activity.ts'

/** Largest body that is read, bytes. Those of Teams stay far below. */
const bodyLimit = 1024 * 1024

export const messagesPath = '/api/messages'

export type ReceiverParts = {
  verify(activity: { channelId: string; serviceUrl: string }, authorization: string): Promise<Verdict>
  /** Whether a connector may stand at an address. */
  isConnector(serviceUrl: string): boolean
  /** Takes a verified activity: resolves with whether it is known what to do with it, once it is stored. */
  take(activity: ReceivedActivity): Promise<boolean>
  intake: Intake
  log: Logger
}

/**
 * Takes one request of the connector of Teams: size, JSON, token, then the activity. What is not from Teams is 401, leaves no
 * trace, and nothing that it names is called; what is but could not be stored is 503, for then Teams sends it again.
 */
export async function takeRequest(ctx: Context, parts: ReceiverParts): Promise<void> {
  ctx.set('cache-control', 'no-store')
  const raw = await readBody(ctx, bodyLimit)
  if (raw === null) return
  const activity = parseActivity(raw)
  if (activity === null) return answerPlatform(ctx, 400, 'The body is no activity in JSON.')
  const verdict = await parts.verify(activity, ctx.get('authorization'))
  if (verdict === 'unready') return answerPlatform(ctx, 503, 'The keys of the identity provider are not to be had just now. Send it again.')
  if (verdict === 'refused') return answerPlatform(ctx, 401, 'The token is missing, wrong, too old or not of the connector of Teams.')
  if (!parts.isConnector(activity.serviceUrl)) return answerPlatform(ctx, 403, 'The serviceUrl is no address that Nura may call.')
  // Verified: only now does it name a directory that counts.
  const entered = parts.intake.enter(activity.conversation?.tenantId ?? '')
  if (entered === null) return answerPlatform(ctx, 503, 'Too much at once. Send it again.')
  try {
    const isKnown = await parts.take(activity)
    if (activity.type !== 'invoke') return answerPlatform(ctx, 202, '')
    if (!isKnown) return answerPlatform(ctx, 501, 'Nura does not know this invoke.')
    ctx.status = 200
    ctx.body = toInvokeBody(activity)
  } catch (error) {
    parts.log.error({ err: error }, 'teams activity not stored')
    answerPlatform(ctx, 503, 'Not stored. Send it again.')
  } finally {
    entered.leave()
  }
}

/** What Teams shows the one who clicked on a card until something comes of it; for the thumbs it needs an empty object. */
function toInvokeBody({ name }: ReceivedActivity): Record<string, unknown> {
  return name === 'adaptiveCard/action' ? { statusCode: 200, type: 'application/vnd.microsoft.activity.message', value: 'I am on it.' } : {}
}

function parseActivity(raw: Buffer): ReceivedActivity | null {
  try {
    return ReceivedActivity.parse(parseJson(raw, { odd: 'mend' }))
  } catch {
    // Not what Teams sends: the answer says so.
    return null
  }
}
