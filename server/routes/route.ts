import type { IncomingHttpHeaders } from 'node:http'
import type { z } from 'zod'
import type { TenantDb } from '#db/index.ts'
import type { Logger } from '../log.ts'
import type { ServerParts } from '../app.ts'

/**
 * Who may call: `tenant` is a service token (or loopback in local mode); `operator` is open on a loopback host and
 * wants a token elsewhere; `none` is open.
 */
export type Auth = 'tenant' | 'operator' | 'none'

/** One event of a `text/event-stream` answer. */
export type StreamEvent = { event: string; data: unknown }

/** What a route answers. `events` streams; it must end by itself soon after the request's signal aborts. */
export type Reply =
  | { status: number; json: unknown }
  | { status: number; text: string; type: string; headers?: Record<string, string> }
  | { status: 204 }
  | { status: 200; events: AsyncIterable<StreamEvent> }

type Read<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined

export type RouteInput<A extends Auth, Params, Query, Body> = {
  params: Read<Params>
  query: Read<Query>
  body: Read<Body>
  headers: IncomingHttpHeaders
  /** The body as it came, for a route without `body` whose caller signs the bytes. @throws NuraError `body-too-large` */
  readBytes(limit: number): Promise<Buffer>
  /** True when the caller accepts `text/event-stream`. */
  wantsEvents: boolean
  /** Aborts when the caller hangs up, or when the route's time is over. */
  signal: AbortSignal
  /** Trace id: on every log line of this request. */
  trace: string
  log: Logger
} & (A extends 'tenant' ? { tenant: TenantDb; asker: string } : unknown)

/**
 * A route as data: what validates it also documents it. Params that do not fit answer 404 like any unknown id; query
 * and body that do not fit answer 400 with the field named.
 */
export type Route<A extends Auth = Auth, Params = unknown, Query = unknown, Body = unknown> = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** `/v1/things/:id` */
  readonly path: string
  readonly summary: string
  readonly auth: A
  readonly params?: Params
  readonly query?: Query
  readonly body?: Body
  /** Fields of the form that a route reads for itself, beside one file; documented only. */
  readonly upload?: z.ZodType
  readonly answers: {
    readonly status: number
    readonly description: string
    /** Absent when the answer has no JSON body. */
    readonly json?: z.ZodType
    /** Other media types of the same answer, each with what it holds. */
    readonly also?: Record<string, string>
  }
  run(input: RouteInput<A, Params, Query, Body>, parts: ServerParts): Promise<Reply>
}

/** Any route, as the list holds it: its schemas are checked where it is defined, its `run` is called by the app alone. */
export type AnyRoute = Omit<Route<Auth, z.ZodType, z.ZodType, z.ZodType>, 'run'> & { run(input: never, parts: ServerParts): Promise<Reply> }

/** Declares a route; the types of its input are inferred from its schemas. */
export function defineRoute<
  const A extends Auth,
  Params extends z.ZodType | undefined = undefined,
  Query extends z.ZodType | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>(route: Route<A, Params, Query, Body>): Route<A, Params, Query, Body> {
  return route
}
