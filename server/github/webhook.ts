import type { IncomingHttpHeaders } from 'node:http'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import type { Db } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { findGithubInstallation } from '#db/shared/github-installations.ts'
import { accept } from '#db/shared/inbox.ts'
import { ensureTenant } from '#db/shared/tenants.ts'
import { findWorkspaceTenant } from '#db/shared/workspaces.ts'
import type { Enqueue } from '#jobs/enqueue.ts'
import { redact } from '../indexing/redact.ts'
import type { Logger } from '../log.ts'
import { parseJson } from '../middleware/parse-json.ts'
import { inSpan } from '../tracing/span.ts'
import type { Span } from '../tracing/span.ts'
import { currentTraceparent } from '../tracing/traceparent.ts'
import { within } from '../within.ts'
import type { GithubApp } from './app.ts'
import { toEventKey, toThreadKey } from './github-event.ts'
import type { GithubEvent } from './github-event.ts'
import { toDeliveryJob } from './hints.ts'
import { spokenEvents, toGithubEvents } from './read-delivery.ts'
import { isSignedByGithub } from './signature.ts'

export type WebhookParts = {
  db: Db
  github: Pick<GithubApp, 'config' | 'identity'>
  enqueue: Enqueue
  log: Logger
  /** Short name of the tenant that a configured `installationId` belongs to. */
  tenant: string
  /** Longest that accepting waits for GitHub to say what the App is called, milliseconds. GitHub itself gives a delivery ten seconds. */
  identityMs?: number
}

/** A request as it came: nothing of it has been decoded. */
export type Delivery = { headers: IncomingHttpHeaders; bytes: Buffer }

/** Longest body, bytes: GitHub itself sends no larger one. */
export const deliveryLimit = 25 * 1024 * 1024

/** How long it is believed whose an installation is, milliseconds. Who carries the event out looks again. */
const ownerMs = 5_000
/** Longest that accepting waits for the queue, milliseconds. */
const queueMs = 250

/**
 * Takes deliveries: checks the signature, keeps what concerns Nura in the inbox, leaves a hint for the queue. Waits for the
 * database, and for GitHub once, until it has said what the App is called: all but what may name the App otherwise is stored
 * whatever GitHub, the queue or a model do at the moment.
 *
 * @returns how many events of the delivery were kept and are new.
 * @throws NuraError `unauthorized`, `bad-delivery`, or a retryable one when it could not be stored: GitHub then shows the
 *   delivery as failed, and the sweeper asks for it again
 */
export function createWebhook(parts: WebhookParts): (delivery: Delivery) => Promise<{ stored: number }> {
  const readSlug = createSlug(parts.github, parts.identityMs ?? 5_000)
  const owners = new LRUCache<number, string>({ max: 10_000, ttl: ownerMs })
  return async function take({ headers, bytes }) {
    const startedAt = Date.now()
    if (!isSignedByGithub(parts.github.config.webhookSecret, headers, bytes)) {
      throw new NuraError('unauthorized', 'The signature is missing or wrong: x-hub-signature-256 must be the HMAC of the body with the webhook secret of the GitHub App.')
    }
    const name = String(headers['x-github-event'] ?? '')
    const guid = String(headers['x-github-delivery'] ?? '')
    if (!/^[\w-]{8,100}$/.test(guid)) throw new NuraError('bad-delivery', 'The header x-github-delivery is missing.')
    const log = parts.log.child({ delivery: guid, event: /^\w{1,60}$/.exec(name)?.[0] })
    const slug = spokenEvents.has(name) ? await readSlug() : null
    const events = read(name, parse(bytes, headers['content-type'] ?? ''), slug, log)
    if (events.length === 0) return { stored: 0 }
    return await inSpan('receive', { 'nura.surface': 'github', 'nura.kind': events[0]!.kind }, async (span) => {
      const stored = await keepAll(events, guid, log, span)
      span.set({ 'nura.stored': stored })
      return { stored }
    }, { kind: 'server', root: true, startedAt })
  }

  async function keepAll(events: GithubEvent[], guid: string, log: Logger, span: Span): Promise<number> {
    let stored = 0
    for (const [at, event] of events.entries()) {
      const tenantId = owners.get(event.installationId) ?? (await findTenant(parts, event, log))
      if (tenantId === null) break
      span.set({ 'nura.tenant': tenantId })
      if (event.kind !== 'installation') owners.set(event.installationId, tenantId)
      const kept = await keep(parts, tenantId, event, at === 0 ? guid : `${guid}:${at + 1}`, log).catch(orGone)
      if (kept === null) {
        // The tenant was deleted since its owner was looked up.
        owners.delete(event.installationId)
        log.info({ installation: event.installationId }, 'the tenant is gone; nothing of the delivery is kept')
        break
      }
      if (kept) stored++
    }
    return stored
  }
}

function orGone(error: unknown): null {
  if (error instanceof NuraError && error.code === 'unknown-tenant') return null
  throw error
}

/** GitHub can be told to send a form; the signature is over the form then, and its only field is the payload. */
function parse(bytes: Buffer, contentType: string): unknown {
  try {
    const isForm = /^application\/x-www-form-urlencoded\b/i.test(contentType)
    return parseJson(isForm ? (new URLSearchParams(bytes.toString()).get('payload') ?? '') : bytes, { odd: 'mend' })
  } catch (cause) {
    throw new NuraError('bad-delivery', 'The body is neither JSON nor a form with a payload of JSON; set the content type of the webhook to application/json.', { cause })
  }
}

/** A payload of another shape than GitHub documents would fail the same way each time: it is logged, not asked for again. */
function read(name: string, payload: unknown, slug: string | null, log: Logger): GithubEvent[] {
  try {
    return toGithubEvents(name, payload, slug)
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error
    log.warn({ issues: error.issues.slice(0, 5).map(({ path, code }) => `${path.join('.')}: ${code}`) }, 'a signed delivery has not the shape that GitHub documents; nothing of it is kept')
    return []
  }
}

/**
 * Whose an event is: the tenant that its installation is bound to, by its row, by the operator beforehand, or by the
 * configuration. Null, with one line that names the fix, when it is nobody's or is not to be acted on.
 */
async function findTenant({ db, github, tenant }: WebhookParts, event: GithubEvent, log: Logger): Promise<string | null> {
  const id = event.installationId
  const known = await findGithubInstallation(db, id)
  if (known?.state === 'active' || (known && event.kind === 'installation')) return known.tenantId
  if (known) {
    log.info({ installation: id, state: known.state }, 'the installation is not active; nothing of the delivery is kept')
    return null
  }
  const bound = github.config.installationId === id ? (await ensureTenant(db, { slug: tenant, name: tenant })).id : await findWorkspaceTenant(db, { surface: 'github', id: String(id) })
  if (bound === null) log.warn({ installation: id, fix: `npm run tenant -- connect NAME github:${id}` }, 'the installation belongs to no tenant; nothing of the delivery is kept')
  return bound
}

async function keep({ db, enqueue }: WebhookParts, tenantId: string, event: GithubEvent, key: string, log: Logger): Promise<boolean> {
  const row = { tenantId, surface: 'github', kind: event.kind, eventKey: toEventKey(key), threadKey: toThreadKey(event), payload: await redactEvent(event), traceparent: currentTraceparent() }
  // One that failed and is sent again is to be carried out again.
  const { id, isNew } = await accept(db, row, { revive: true })
  if (!isNew) return false
  const queued = enqueue(toDeliveryJob(event.kind), { inboxId: id, tenantId }, { dedupe: id }).then(
    () => true,
    () => false,
  )
  // The row is the record, the queue only a hint.
  if (!(await within(queued, queueMs))) log.warn({ inboxId: id }, 'not queued yet; the sweeper will find the row')
  return true
}

/** Of people's text only what is said to Nura is kept, and that without the secrets in it. */
async function redactEvent(event: GithubEvent): Promise<GithubEvent> {
  return event.kind === 'mention' ? { ...event, body: (await redact(event.body)).text } : event
}

/** What the App is called, asked of GitHub once: null while it has not answered, whatever keeps it. Only the first wait for it. */
function createSlug(github: Pick<GithubApp, 'identity'>, identityMs: number): () => Promise<string | null> {
  let asked: { answer: Promise<string | null>; until: number } | null = null
  return () => {
    asked ??= {
      until: performance.now() + identityMs,
      answer: github.identity().then(
        ({ slug }) => slug,
        () => {
          asked = null
          return null
        },
      ),
    }
    return within(asked.answer, Math.max(0, asked.until - performance.now()))
  }
}
