import { createHmac, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { toTime } from './world.ts'
import type { World } from './world.ts'

/** A signed event, ready to be posted. */
export type Event = {
  name: string
  guid: string
  headers: Record<string, string>
  rawBody: Buffer
  payload: Record<string, unknown>
}

/** One attempt, as the deliveries API tells it. */
export type Delivery = {
  id: number
  guid: string
  delivered_at: string
  redelivery: boolean
  duration: number
  status: string
  status_code: number
  event: string
  action: string | null
  installation_id: number | null
  repository_id: number | null
  url: string
  throttled_at: string | null
  request: { headers: Record<string, string>; payload: unknown }
  response: { headers: Record<string, string>; payload: unknown }
}

export type Deliveries = {
  /** Every attempt, oldest first. */
  readonly log: Delivery[]
  /** Where the App's webhook points; null: nothing is sent by itself. */
  hookUrl: string | null
  /** The fake's own changes are delivered to `hookUrl`. */
  auto: boolean
  /** `payload` may be text, whose bytes are signed as they stand. */
  event(name: string, payload: object | string, options?: { guid?: string; secret?: string }): Event
  /** Posts an event and records the attempt. @returns the status, 0 when nobody answered. */
  deliver(
    url: string,
    event: Event,
    options?: { headers?: Record<string, string | undefined>; redelivery?: boolean },
  ): Promise<number>
  /** The next attempts fail on the way. */
  dropNext(times?: number): void
  redeliver(delivery: Delivery): void
  /** Has `settle` wait for this too. */
  track(work: Promise<unknown>): void
  /** Resolves when nothing is on its way. */
  settle(): Promise<void>
}

export function createDeliveries(world: World, secret: string): Deliveries {
  const events = new Map<string, Event>()
  const underway = new Set<Promise<unknown>>()
  let drops = 0

  const deliveries: Deliveries = {
    log: [],
    hookUrl: null,
    auto: false,
    event(name, payload, options = {}) {
      const rawBody = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
      const guid = options.guid ?? randomUUID()
      const sign = (hash: string) =>
        `${hash}=${createHmac(hash, options.secret ?? secret)
          .update(rawBody)
          .digest('hex')}`
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'GitHub-Hookshot/fake',
        'x-github-delivery': guid,
        'x-github-event': name,
        'x-github-hook-id': '1',
        'x-github-hook-installation-target-id': String(world.app.id),
        'x-github-hook-installation-target-type': 'integration',
        'x-hub-signature': sign('sha1'),
        'x-hub-signature-256': sign('sha256'),
      }
      return { name, guid, headers, rawBody, payload: readPayload(rawBody) }
    },
    async deliver(url, event, { headers: changed = {}, redelivery = false } = {}) {
      const headers = Object.fromEntries(
        Object.entries({ ...event.headers, ...changed }).filter((entry): entry is [string, string] => entry[1] !== undefined),
      )
      events.set(event.guid, event)
      const start = performance.now()
      const answer = drops > 0 ? (drops--, { status: 0, text: '' }) : await post(url, headers, event.rawBody)
      deliveries.log.push(
        toDelivery(world, event, { url, headers, redelivery, ...answer, duration: (performance.now() - start) / 1000 }),
      )
      return answer.status
    },
    dropNext: (times = 1) => void (drops += times),
    redeliver(delivery) {
      const event = events.get(delivery.guid)
      if (!event) return
      deliveries.track(deliveries.deliver(deliveries.hookUrl ?? delivery.url, event, { redelivery: true }))
    },
    track(work) {
      underway.add(work)
      void work.finally(() => underway.delete(work))
    },
    async settle() {
      while (underway.size > 0) await Promise.all(underway)
    },
  }
  return deliveries
}

function readPayload(rawBody: Buffer): Record<string, unknown> {
  try {
    return JSON.parse(rawBody.toString('utf8')) as Record<string, unknown>
  } catch {
    // A test may sign what is no JSON.
    return {}
  }
}

/** GitHub waits 10 seconds, and comes on a connection of its own: one kept from before may be closed just then. */
async function post(url: string, headers: Record<string, string>, body: Buffer): Promise<{ status: number; text: string }> {
  try {
    const sent = request(url, { method: 'POST', headers, agent: false, signal: AbortSignal.timeout(10_000) }).end(body)
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    return { status: response.statusCode!, text: await text(response) }
  } catch {
    // Whatever the reason, GitHub tells it as a delivery without an answer.
    return { status: 0, text: '' }
  }
}

type Attempt = {
  url: string
  headers: Record<string, string>
  redelivery: boolean
  status: number
  text: string
  duration: number
}

function toDelivery(
  world: World,
  { guid, name, payload }: Event,
  { url, headers, redelivery, status, text, duration }: Attempt,
): Delivery {
  const idOf = (value: unknown) => (typeof value === 'object' && value !== null && 'id' in value ? Number(value.id) : null)
  return {
    id: world.nextId(),
    guid,
    delivered_at: toTime(world.now()),
    redelivery,
    duration,
    status: status === 0 ? 'failed to connect to host' : status < 400 ? 'OK' : `Invalid HTTP Response: ${status}`,
    status_code: status === 0 ? 502 : status,
    event: name,
    action: typeof payload.action === 'string' ? payload.action : null,
    installation_id: idOf(payload.installation),
    repository_id: idOf(payload.repository),
    url,
    throttled_at: null,
    request: { headers, payload },
    response: { headers: {}, payload: text },
  }
}
