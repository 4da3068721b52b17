import type { Payloads } from './payloads.ts'
import type { Account, Installation, Repository, World } from './world.ts'

/** Sends an event after the answer, when the fake delivers by itself. */
export type Announce = (name: string, toPayload: (payloads: Payloads) => object | Promise<object>) => void

/** One request as it came over the wire. `path` is escaped as it came, below the root of the API. */
export type Call = {
  method: string
  path: string
  query: Record<string, string>
  headers: Record<string, string>
  body: Record<string, unknown>
  /** 0 until it is answered, and for good when it never is. */
  status: number
  installation: number | null
  at: number
}

/** Who asks, as the credentials prove it. */
export type Actor =
  | { kind: 'app' }
  | { kind: 'installation'; installation: Installation; repositories: Set<number> | null }
  | { kind: 'user'; user: Account }
  | { kind: 'nobody' }

/** What a route is told: everything of the request, already decoded. */
export type Request = {
  world: World
  actor: Actor
  /** Of the path pattern; `*name` takes the rest of the path. */
  params: Record<string, string>
  query: URLSearchParams
  /** The parsed body, {} without one. */
  body: Record<string, unknown>
  headers: Record<string, string>
  /** Address without the query, as GitHub writes it in links. */
  address: string
  announce: Announce
  /** A fault: how many entries a recursive tree shows. */
  most?: number
}

/** `body` is JSON unless it is a Buffer. */
export type Reply = { status?: number; body?: unknown; headers?: Record<string, string> }

export type Route = {
  method: string
  pattern: RegExp
  names: string[]
  /** Whose credentials it takes. */
  who: Actor['kind'][]
  /** Permissions of an installation of which one is enough, such as `issues:write`. */
  needs: string[]
  run(request: Request): Reply | Promise<Reply>
}

/** An answer that is no success, thrown from wherever it is known. */
export class Refusal extends Error {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly headers: Record<string, string>
  constructor(status: number, message: string, more: Record<string, unknown> = {}, headers: Record<string, string> = {}) {
    super(message)
    this.name = 'Refusal'
    this.status = status
    this.body = { message, documentation_url: 'https://docs.github.com/rest', status: String(status), ...more }
    this.headers = headers
  }
}

type Extra = { who?: Actor['kind'][]; needs?: string[] }

/** `:name` is one segment (an escaped slash belongs to it), `*name` the rest. */
export function defineRoute(
  method: string,
  path: string,
  run: Route['run'],
  { who = ['installation', 'user'], needs = [] }: Extra = {},
): Route {
  const names: string[] = []
  const source = path.replace(/[.[\]]/g, '\\$&').replace(/([:*])([a-z]+)/g, (_, sigil: string, name: string) => {
    names.push(name)
    return sigil === ':' ? '([^/]+)' : '(.+)'
  })
  return { method, pattern: new RegExp(`^${source}$`), names, who, needs, run }
}

export type RepositoryRequest = Request & { repository: Repository }

/** A route below `/repos/OWNER/NAME` and `/repositories/ID`. */
export function defineRepositoryRoute(
  method: string,
  path: string,
  run: (request: RepositoryRequest) => Reply | Promise<Reply>,
  extra: Extra = {},
): Route {
  return defineRoute(
    method,
    `/repositories/:repositoryid${path}`,
    (request) => run({ ...request, repository: findSeenRepository(request) }),
    extra,
  )
}

function findSeenRepository({ world, actor, params }: Request): Repository {
  const repository = world.repositories.get(Number(params.repositoryid))
  if (!repository || repository.deleted || !mayRead(actor, repository)) throw new Refusal(404, 'Not Found')
  return repository
}

/** An installation reads what was chosen for it, a person what the permissions say. */
export function mayRead(actor: Actor, repository: Repository): boolean {
  if (actor.kind === 'installation')
    return actor.installation.repositories.has(repository.id) && (actor.repositories?.has(repository.id) ?? true)
  if (actor.kind !== 'user') return false
  const given = repository.permissions.get(actor.user.id) ?? 'none'
  return repository.owner.id === actor.user.id || !repository.private || given !== 'none'
}

/** One page of `items` with GitHub's Link header: 30 unless asked, at most 100. */
export function toPage<Item>(
  { query, address }: Request,
  items: Item[],
  toBody: (page: Item[]) => unknown = (page) => page,
): Reply {
  const perPage = Math.min(100, Math.max(1, Number(query.get('per_page')) || 30))
  const page = Math.max(1, Number(query.get('page')) || 1)
  const last = Math.max(1, Math.ceil(items.length / perPage))
  const link = (rel: string, to: number) => `<${address}?${toQuery(query, to)}>; rel="${rel}"`
  const links = [
    ...(page > 1 ? [link('prev', page - 1)] : []),
    ...(page < last ? [link('next', page + 1), link('last', last)] : []),
    ...(page > 1 ? [link('first', 1)] : []),
  ]
  return {
    body: toBody(items.slice((page - 1) * perPage, page * perPage)),
    headers: links.length > 0 ? { link: links.join(', ') } : {},
  }
}

function toQuery(query: URLSearchParams, page: number): string {
  const copy = new URLSearchParams(query)
  copy.set('page', String(page))
  return copy.toString()
}

/** A text of the body that must be there. */
export function readText(body: Record<string, unknown>, field: string, resource: string, longest = 65_536): string {
  const value = body[field]
  const refuse = (code: string, message: string) =>
    new Refusal(422, 'Validation Failed', { errors: [{ resource, code, field, message }] })
  if (typeof value !== 'string' || value.trim() === '') throw refuse('missing_field', `${field} can't be blank`)
  if (value.length > longest) throw refuse('custom', `${field} is too long (maximum is ${longest} characters)`)
  return value
}
