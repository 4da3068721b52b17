import { randomBytes, randomInt } from 'node:crypto'
import type { GitStore } from './git-store.ts'

/** Someone or something with a login. Ids are larger than an int4 holds, as GitHub's newer ones are, and grow. */
export type Account = { readonly id: number; login: string; readonly type: 'User' | 'Bot' | 'Organization' }

/** A role; the permission endpoint knows only four of them. */
export type Permission = 'admin' | 'maintain' | 'write' | 'triage' | 'read' | 'none'

export type Installation = {
  readonly id: number
  readonly account: Account
  readonly createdAt: string
  suspendedAt: string | null
  deleted: boolean
  selection: 'all' | 'selected'
  readonly repositories: Set<number>
  permissions: Record<string, 'read' | 'write'>
  /** Requests left in this hour, and when the hour ends. */
  rate: { limit: number; remaining: number; reset: Date }
}

export type Reaction = { readonly id: number; readonly content: string; readonly user: Account; readonly createdAt: string }

export type Comment = {
  readonly id: number
  readonly user: Account
  /** Written through our App. */
  readonly viaApp: boolean
  readonly association: string
  body: string
  readonly createdAt: string
  updatedAt: string
  readonly reactions: Reaction[]
  /** Where it stands in the diff; null outside of a review. */
  readonly review: {
    path: string
    line: number
    side: 'LEFT' | 'RIGHT'
    diffHunk: string
    commitId: string
    rootId: number | null
  } | null
}

export type Label = { readonly id: number; readonly name: string }

/** An issue, or a pull request, which is an issue with branches. */
export type Thread = {
  readonly id: number
  readonly number: number
  readonly user: Account
  readonly association: string
  title: string
  body: string | null
  labels: Label[]
  state: 'open' | 'closed'
  locked: boolean
  readonly createdAt: string
  updatedAt: string
  closedAt: string | null
  readonly comments: Comment[]
  readonly reactions: Reaction[]
  readonly pull: Branches | null
}

export type Review = { readonly id: number; readonly user: Account; state: 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED' | 'DISMISSED'; readonly submittedAt: string }

export type Release = {
  readonly id: number
  tag: string
  name: string | null
  readonly author: Account
  draft: boolean
  prerelease: boolean
  readonly createdAt: string
  publishedAt: string | null
}

export type Deployment = {
  readonly id: number
  readonly environment: string
  readonly ref: string
  readonly sha: string
  readonly creator: Account
  readonly createdAt: string
  updatedAt: string
  /** Oldest first. */
  readonly statuses: { readonly id: number; readonly state: string; readonly createdAt: string }[]
}

export type Team = { readonly id: number; readonly org: string; readonly slug: string; privacy: 'closed' | 'secret'; readonly members: Set<string> }

export type Branches = {
  draft: boolean
  mergedAt: string | null
  base: { ref: string; sha: string }
  /** `repository` is null when the fork was deleted. */
  head: { ref: string; sha: string; owner: Account; repository: Repository | null }
  readonly reviewComments: Comment[]
  /** Oldest first. */
  readonly reviews: Review[]
  /** Files whose changes GitHub does not show: no `patch`, counts of 0. */
  readonly collapsed: Set<string>
}

export type Repository = {
  readonly id: number
  owner: Account
  name: string
  private: boolean
  archived: boolean
  deleted: boolean
  defaultBranch: string
  readonly fork: boolean
  readonly createdAt: string
  pushedAt: string
  readonly store: GitStore
  readonly threads: Map<number, Thread>
  readonly releases: Release[]
  readonly deployments: Deployment[]
  readonly permissions: Map<number, Permission>
}

/** What GitHub knows. */
export type World = {
  /** Root of the REST API and origin of the site. */
  readonly api: string
  readonly web: string
  readonly app: {
    readonly id: number
    readonly slug: string
    readonly name: string
    readonly clientId: string
    readonly clientSecret: string
    readonly bot: Account
  }
  readonly accounts: Map<number, Account>
  readonly installations: Map<number, Installation>
  readonly teams: Team[]
  readonly repositories: Map<number, Repository>
  /** `owner/name`, lower case, of what was renamed or transferred → id. */
  readonly formerNames: Map<string, number>
  /** Installation ids that a person sees beside those of the own account, by account id. */
  readonly seenInstallations: Map<number, Set<number>>
  readonly tokens: Map<
    string,
    { expiresAt: Date; repositories: Set<number> | null } & ({ installation: Installation } | { user: Account })
  >
  now(): Date
  nextId(): number
  /** The account of that login, made when it is new; `type` follows from the login unless given. */
  account(login: string, type?: Account['type']): Account
  findAccount(login: string): Account | null
  findRepository(fullName: string): Repository | null
}

type Options = { api: string; web: string; slug: string; appId: number; now: () => Date }

export function createWorld({ api, web, slug, appId, now }: Options): World {
  // Two fakes share no ids: what one knows is nothing to the other.
  let last = 3_000_000_000 + randomInt(1_000_000) * 1_000_000
  const accounts = new Map<number, Account>()
  const repositories = new Map<number, Repository>()
  const nextId = () => ++last
  const findAccount = (login: string) =>
    [...accounts.values()].find((known) => known.login.toLowerCase() === login.toLowerCase()) ?? null
  function account(login: string, type: Account['type'] = login.endsWith('[bot]') ? 'Bot' : 'User'): Account {
    const known = findAccount(login)
    if (known) return known
    const made = { id: nextId(), login, type }
    accounts.set(made.id, made)
    return made
  }
  return {
    api,
    web,
    app: {
      id: appId,
      slug,
      name: 'Nura',
      clientId: 'Iv23fakeclient',
      clientSecret: randomBytes(20).toString('hex'),
      bot: account(`${slug}[bot]`, 'Bot'),
    },
    accounts,
    installations: new Map(),
    teams: [],
    repositories,
    formerNames: new Map(),
    seenInstallations: new Map(),
    tokens: new Map(),
    now,
    nextId,
    account,
    findAccount,
    findRepository: (fullName) =>
      [...repositories.values()].find(
        (repository) => !repository.deleted && toFullName(repository).toLowerCase() === fullName.toLowerCase(),
      ) ?? null,
  }
}

export function toFullName({ owner, name }: { owner: Account; name: string }): string {
  return `${owner.login}/${name}`
}

/** GitHub's time: whole seconds. */
export function toTime(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`
}

/** The installation through which the App reaches a repository now. */
export function findInstallationOf(world: World, repository: Repository): Installation | null {
  return (
    [...world.installations.values()].find(
      (installation) => !installation.deleted && installation.repositories.has(repository.id),
    ) ?? null
  )
}

/** The role of a person in a repository. */
export function toPermission(repository: Repository, account: Account): Permission {
  if (repository.owner.id === account.id) return 'admin'
  return repository.permissions.get(account.id) ?? (repository.private ? 'none' : 'read')
}

export function toAssociation(repository: Repository, account: Account): string {
  if (repository.owner.id === account.id) return 'OWNER'
  return repository.permissions.has(account.id) ? 'COLLABORATOR' : 'NONE'
}

export function toFreshRate(now: Date): Installation['rate'] {
  return { limit: 5000, remaining: 5000, reset: new Date(now.getTime() + 3_600_000) }
}
