import type { KeyObject } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { send, toFaulty, toLater, toRefused } from './answers.ts'
import { createAuthenticate } from './authenticate.ts'
import { isCarriedOut } from './faults.ts'
import type { Fault, Faults } from './faults.ts'
import { mayRead, Refusal } from './route.ts'
import type { Actor, Announce, Call, Reply, Request, Route } from './route.ts'
import { toFreshRate } from './world.ts'
import type { Installation, World } from './world.ts'

type Parts = { world: World; prefix: string; publicKey: KeyObject; routes: Route[]; faults: Faults; announce: Announce }

export type Serve = {
  readonly calls: Call[]
  readonly unknown: Call[]
  listener(request: IncomingMessage, response: ServerResponse): void
  /** Lets go of the calls that hang. */
  close(): void
}

/** Reads requests, finds whose they are, has their route answer, and adds what every answer of GitHub carries. */
export function createServe({ world, prefix, publicKey, routes, faults, announce }: Parts): Serve {
  const calls: Call[] = []
  const unknown: Call[] = []
  /** Ends the waits of calls that hang. */
  const waiting = new Set<() => void>()
  const authenticate = createAuthenticate(world, publicKey)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await readBytes(request)
    const url = new URL(request.url ?? '/', world.web)
    const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]))
    const path = url.pathname.startsWith(`${prefix}/`) ? url.pathname.slice(prefix.length) : url.pathname
    const actor = await authenticate(headers.authorization)
    const installation = !(actor instanceof Refusal) && actor.kind === 'installation' ? actor.installation : null
    const body = readBody(raw, headers['content-type'] ?? '')
    const call: Call = {
      method: request.method ?? 'GET',
      path,
      query: Object.fromEntries(url.searchParams),
      headers,
      body,
      status: 0,
      installation: installation?.id ?? null,
      at: Date.now(),
    }
    calls.push(call)
    await faults.runHooks(call)
    const fault = faults.take(call)
    if (fault && !isCarriedOut(fault)) {
      if (await lose(fault, response)) return
      return send(response, call, toFaulty(fault, installation, world.now()), installation)
    }
    if (installation && installation.rate.reset <= world.now()) installation.rate = toFreshRate(world.now())
    const most = fault?.kind === 'truncated' ? { most: fault.entries } : {}
    const reply = await carryOut(call, actor, url.searchParams, most).catch(toRefused)
    if (fault && (await lose(fault, response))) return
    if (fault?.kind === 'remaining' && installation)
      installation.rate = { ...installation.rate, remaining: 1, reset: toLater(world.now(), fault.seconds) }
    send(response, call, fault?.kind === 'status' ? toFaulty(fault, installation, world.now()) : reply, installation)
  }

  /** The answer that never comes, or comes late. @returns whether the connection is gone. */
  async function lose(fault: Fault, response: ServerResponse): Promise<boolean> {
    if (fault.kind === 'slow') await sleep(fault.ms, response)
    if (fault.kind === 'hang') await sleep(fault.ms ?? 2 ** 30, response)
    if (fault.kind === 'hang' || fault.kind === 'drop') response.destroy()
    return response.destroyed
  }
  function sleep(ms: number, response: ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => stop(), ms)
      const stop = () => {
        clearTimeout(timer)
        waiting.delete(stop)
        resolve()
      }
      waiting.add(stop)
      response.once('close', stop)
    })
  }

  async function carryOut(call: Call, actor: Actor | Refusal, query: URLSearchParams, extra: { most?: number }): Promise<Reply> {
    const path = toRepositoryPath(call, actor)
    const found = routes.flatMap((route) => {
      const values = route.method === call.method ? route.pattern.exec(path) : null
      return values
        ? [{ route, params: Object.fromEntries(route.names.map((name, at) => [name, decodeURIComponent(values[at + 1]!)])) }]
        : []
    })[0]
    if (!found) {
      unknown.push(call)
      throw new Refusal(404, 'Not Found')
    }
    const { route, params } = found
    // The credentials of the OAuth client are in the body or in basic form: no token, right or wrong, matters there.
    const isOpen = route.who.length === 1 && route.who[0] === 'nobody'
    if (actor instanceof Refusal && !isOpen) throw actor
    const who: Actor = actor instanceof Refusal ? { kind: 'nobody' } : actor
    if (!isOpen) refuseActor(who, route)
    const request: Request = {
      world,
      actor: who,
      params,
      query,
      body: call.body,
      headers: call.headers,
      address: world.api + path,
      announce,
      ...extra,
    }
    return await route.run(request)
  }

  /** Names are only a way to the id. A former name is answered with where the repository is now. */
  function toRepositoryPath(call: Call, actor: Actor | Refusal): string {
    const [, owner, name, rest = ''] = /^\/repos\/([^/]+)\/([^/]+)(\/.*)?$/.exec(call.path) ?? []
    if (!owner || !name || rest === '/installation') return call.path
    const fullName = `${decodeURIComponent(owner)}/${decodeURIComponent(name)}`
    const repository = world.findRepository(fullName)
    const former = repository ? null : world.repositories.get(world.formerNames.get(fullName.toLowerCase()) ?? 0)
    if (former && !former.deleted && !(actor instanceof Refusal) && mayRead(actor, former)) {
      const search = new URLSearchParams(call.query).toString()
      const location = `${world.api}/repositories/${former.id}${rest}${search ? `?${search}` : ''}`
      throw new Refusal(call.method === 'GET' ? 301 : 307, 'Moved Permanently', { url: location }, { location })
    }
    return `/repositories/${repository?.id ?? 0}${rest}`
  }

  function refuseActor(actor: Actor, { who, needs }: Route): void {
    if (!who.includes(actor.kind)) {
      if (actor.kind === 'nobody') throw new Refusal(401, 'Requires authentication')
      if (who.length === 1 && who[0] === 'app') throw new Refusal(401, 'A JSON web token could not be decoded')
      throw new Refusal(
        actor.kind === 'app' ? 401 : 403,
        actor.kind === 'app' ? 'Bad credentials' : 'Resource not accessible by integration',
      )
    }
    if (actor.kind !== 'installation') return
    const { permissions, rate } = actor.installation
    const isAllowed = needs.length === 0 || needs.some((need) => isGranted(permissions, need))
    if (!isAllowed)
      throw new Refusal(
        403,
        'Resource not accessible by integration',
        {},
        { 'x-accepted-github-permissions': needs.join('; ').replaceAll(':', '=') },
      )
    if (rate.remaining <= 0) throw new Refusal(403, `API rate limit exceeded for installation ID ${actor.installation.id}.`)
  }

  return {
    calls,
    unknown,
    listener(request, response) {
      answer(request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : undefined)
      })
    },
    close: () => waiting.forEach((stop) => stop()),
  }
}

function isGranted(permissions: Installation['permissions'], need: string): boolean {
  const [name = '', level] = need.split(':')
  return permissions[name] === 'write' || permissions[name] === level
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece)
  return Buffer.concat(pieces)
}

function readBody(raw: Buffer, contentType: string): Record<string, unknown> {
  const text = raw.toString('utf8')
  if (contentType.includes('form-urlencoded')) return Object.fromEntries(new URLSearchParams(text))
  try {
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  } catch {
    // What is no JSON is a body without fields, which the routes refuse where they need one.
    return {}
  }
}
