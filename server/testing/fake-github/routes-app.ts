import { randomBytes } from 'node:crypto'
import type { Deliveries } from './deliveries.ts'
import { defineRoute, Refusal, toPage } from './route.ts'
import type { Reply, Request } from './route.ts'
import { toApp, toInstallation, toRepository, toUser } from './views.ts'
import { toFullName, toTime } from './world.ts'
import type { Installation, Repository } from './world.ts'

const who = ['app' as const]

/** What the App asks as itself, and what an installation and a person ask about themselves. */
export function createAppRoutes(deliveries: Deliveries) {
  function find({ params }: Request) {
    const delivery = deliveries.log.find(({ id }) => id === Number(params.delivery))
    if (!delivery) throw new Refusal(404, 'Not Found')
    return delivery
  }
  function list({ query, address }: Request): Reply {
    const status = query.get('status')
    const found = deliveries.log.toReversed().filter(({ status_code: code }) => !status || (status === 'failure') === code >= 400)
    const perPage = Math.min(100, Number(query.get('per_page')) || 30)
    const start = query.get('cursor') ? found.findIndex(({ id }) => id === Number(query.get('cursor'))) : 0
    const page = start < 0 ? [] : found.slice(start, start + perPage)
    const next = start < 0 ? undefined : found[start + perPage]
    const link: Record<string, string> = next
      ? { link: `<${address}?per_page=${perPage}&cursor=${next.id}${status ? `&status=${status}` : ''}>; rel="next"` }
      : {}
    return { body: page.map(({ request: _request, response: _response, url: _url, ...shown }) => shown), headers: link }
  }
  return [
    defineRoute('GET', '/app', ({ world }) => ({ body: { ...toApp(world), installations_count: world.installations.size } }), {
      who,
    }),
    defineRoute('GET', '/app/installations', listInstallations, { who }),
    defineRoute(
      'GET',
      '/app/installations/:installation',
      (request) => ({ body: toInstallation(request.world, findInstallation(request)) }),
      { who },
    ),
    defineRoute('POST', '/app/installations/:installation/access_tokens', createToken, { who }),
    defineRoute(
      'DELETE',
      '/app/installations/:installation',
      (request) => {
        findInstallation(request).deleted = true
        return { status: 204 }
      },
      { who },
    ),
    defineRoute('GET', '/app/hook/deliveries', list, { who }),
    defineRoute('GET', '/app/hook/deliveries/:delivery', (request) => ({ body: find(request) }), { who }),
    defineRoute(
      'POST',
      '/app/hook/deliveries/:delivery/attempts',
      (request) => {
        deliveries.redeliver(find(request))
        return { status: 202, body: {} }
      },
      { who },
    ),
    defineRoute('GET', '/repos/:owner/:name/installation', findRepositoryInstallation, { who }),
    defineRoute('GET', '/installation/repositories', listInstallationRepositories, { who: ['installation'] }),
    defineRoute('GET', '/rate_limit', getRateLimit),
    defineRoute('GET', '/user', ({ world, actor }) => ({ body: actor.kind === 'user' ? toUser(world, actor.user) : {} }), {
      who: ['user'],
    }),
    defineRoute('GET', '/user/installations', listUserInstallations, { who: ['user'] }),
    defineRoute('GET', '/user/installations/:installation/repositories', listUserRepositories, { who: ['user'] }),
    defineRoute('GET', '/user/:id', ({ world, params }) => ({
      body: toUser(world, world.accounts.get(Number(params.id)) ?? refuse()),
    })),
    defineRoute(
      'GET',
      '/users/:login',
      ({ world, params }) => ({ body: toUser(world, world.findAccount(params.login!) ?? refuse()) }),
      { who: ['installation', 'user', 'app', 'nobody'] },
    ),
  ]
}

function refuse(): never {
  throw new Refusal(404, 'Not Found')
}

function findInstallation({ world, params }: Request): Installation {
  const installation = world.installations.get(Number(params.installation))
  return installation && !installation.deleted ? installation : refuse()
}

function listInstallations(request: Request): Reply {
  const { world } = request
  const found = [...world.installations.values()].filter(({ deleted }) => !deleted)
  return toPage(request, found, (page) => page.map((installation) => toInstallation(world, installation)))
}

function createToken(request: Request): Reply {
  const { world, body } = request
  const installation = findInstallation(request)
  if (installation.suspendedAt) throw new Refusal(403, 'This installation has been suspended')
  const known = [...installation.repositories].map((id) => world.repositories.get(id)!).filter(({ deleted }) => !deleted)
  const names = body.repositories as string[] | undefined
  const ids = body.repository_ids as number[] | undefined
  const chosen = names || ids ? known.filter(({ id, name }) => names?.includes(name) || ids?.includes(id)) : null
  if (chosen && chosen.length !== (names?.length ?? 0) + (ids?.length ?? 0)) {
    throw new Refusal(
      422,
      'There is at least one repository that does not exist or is not accessible to the parent installation.',
    )
  }
  const token = `ghs_${randomBytes(18).toString('hex')}`
  const expiresAt = new Date(world.now().getTime() + 3_600_000)
  world.tokens.set(token, { installation, expiresAt, repositories: chosen && new Set(chosen.map(({ id }) => id)) })
  const shown = chosen ? { repositories: chosen.map((repository) => toRepository(world, repository)) } : {}
  return {
    status: 201,
    body: {
      token,
      expires_at: toTime(expiresAt),
      permissions: installation.permissions,
      repository_selection: installation.selection,
      ...shown,
    },
  }
}

function findRepositoryInstallation({ world, params }: Request): Reply {
  const repository = world.findRepository(`${params.owner}/${params.name}`)
  const found = [...world.installations.values()].find(
    ({ repositories, deleted }) => repository && !deleted && repositories.has(repository.id),
  )
  return { body: toInstallation(world, found ?? refuse()) }
}

function listRepositories(request: Request, found: Repository[], extra: Record<string, unknown>): Reply {
  const sorted = found.filter(({ deleted }) => !deleted).toSorted((a, b) => (toFullName(a) < toFullName(b) ? -1 : 1))
  const { actor, world } = request
  const account = actor.kind === 'user' ? actor.user : undefined
  return toPage(request, sorted, (page) => ({
    total_count: sorted.length,
    ...extra,
    repositories: page.map((repository) => toRepository(world, repository, account)),
  }))
}

function listInstallationRepositories(request: Request): Reply {
  const { world, actor } = request
  if (actor.kind !== 'installation') return refuse()
  const ids = [...actor.installation.repositories].filter((id) => actor.repositories?.has(id) ?? true)
  return listRepositories(
    request,
    ids.map((id) => world.repositories.get(id)!),
    { repository_selection: actor.installation.selection },
  )
}

/** A person sees the installations of the own account, those told to the fake, and those with a repository the person was let into. */
function findUserInstallations({ world, actor }: Request): Installation[] {
  if (actor.kind !== 'user') return refuse()
  const { id } = actor.user
  return [...world.installations.values()].filter(({ deleted, account, repositories, ...installation }) => {
    const isLetIn = [...repositories].some(
      (repository) => (world.repositories.get(repository)?.permissions.get(id) ?? 'none') !== 'none',
    )
    return !deleted && (account.id === id || isLetIn || world.seenInstallations.get(id)?.has(installation.id))
  })
}

function listUserInstallations(request: Request): Reply {
  const found = findUserInstallations(request)
  return toPage(request, found, (page) => ({
    total_count: found.length,
    installations: page.map((installation) => toInstallation(request.world, installation)),
  }))
}

function listUserRepositories(request: Request): Reply {
  const { world, actor, params } = request
  const installation = findUserInstallations(request).find(({ id }) => id === Number(params.installation)) ?? refuse()
  const seen = [...installation.repositories]
    .map((id) => world.repositories.get(id)!)
    .filter(
      ({ owner, permissions }) =>
        actor.kind === 'user' && (owner.id === actor.user.id || (permissions.get(actor.user.id) ?? 'none') !== 'none'),
    )
  return listRepositories(request, seen, {})
}

function getRateLimit({ actor }: Request): Reply {
  const rate = actor.kind === 'installation' ? actor.installation.rate : { limit: 5000, remaining: 5000, reset: new Date() }
  const core = {
    limit: rate.limit,
    remaining: rate.remaining,
    used: rate.limit - rate.remaining,
    reset: Math.ceil(rate.reset.getTime() / 1000),
  }
  return { body: { resources: { core }, rate: core } }
}
