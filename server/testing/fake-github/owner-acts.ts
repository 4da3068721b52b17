import { join } from 'node:path'
import type { Parts } from './fake-issue.ts'
import { createFakeRepository } from './fake-repository.ts'
import type { FakeRepository } from './fake-repository.ts'
import { createGitStore } from './git-store.ts'
import type { FileChange } from './git-store.ts'
import { toFreshRate, toTime } from './world.ts'
import type { Installation, Repository } from './world.ts'

export type AddRepository = {
  /** Through which the App reaches it; null: the App does not. */
  installation: Installation | null
  /** Default: the installation's account. */
  owner?: string
  name: string
  private?: boolean
  defaultBranch?: string
  /** Its first commit. Without `files` and `from` it is empty. */
  files?: Record<string, FileChange>
  /** A folder with a git checkout whose history it takes over. */
  from?: string
}

/** What owners of accounts do: they make repositories, and install the App. */
export type OwnerActs = {
  addInstallation(options: {
    account: string
    accountType?: 'User' | 'Organization'
    selection?: 'all' | 'selected'
  }): Promise<Installation>
  addRepository(options: AddRepository): Promise<FakeRepository>
  /** Takes repositories out of an installation, or puts them in. */
  removeFrom(installation: Installation, ...repositories: Repository[]): Promise<void>
  addTo(installation: Installation, ...repositories: Repository[]): Promise<void>
  suspend(installation: Installation): Promise<void>
  /** Makes a team of an organisation, or says anew who is in it. */
  setTeam(org: string, slug: string, members: string[], privacy?: 'closed' | 'secret'): void
  unsuspend(installation: Installation): Promise<void>
  uninstall(installation: Installation): Promise<void>
  /** A person sees this installation in `/user/installations`. */
  show(installation: Installation, login: string): void
}

export function createOwnerActs(parts: Parts, folder: string): OwnerActs {
  const { world, payloads, announce } = parts
  const fakes = new Map<number, FakeRepository>()

  async function addRepository({
    installation,
    owner,
    name,
    private: isPrivate = false,
    defaultBranch = 'main',
    files,
    from,
    forkOf,
  }: AddRepository & { forkOf?: Repository }): Promise<FakeRepository> {
    const id = world.nextId()
    const store = await createGitStore(join(folder, `${id}.git`), { from: from ?? forkOf?.store.dir, defaultBranch })
    const owned = owner ? world.account(owner) : (installation?.account ?? world.account('octocat'))
    const now = toTime(world.now())
    const repository: Repository = {
      id,
      owner: owned,
      name,
      private: isPrivate,
      archived: false,
      deleted: false,
      defaultBranch: from || forkOf ? await store.git('symbolic-ref', '--short', 'HEAD') : defaultBranch,
      fork: forkOf !== undefined,
      createdAt: now,
      pushedAt: now,
      store,
      threads: new Map(),
      releases: [],
      deployments: [],
      permissions: new Map(),
    }
    world.repositories.set(id, repository)
    const fake = createFakeRepository(parts, repository, openFork)
    if (files) await store.commit(files, { branch: defaultBranch, message: 'Begin', at: world.now() })
    if (installation) await addTo(installation, repository)
    fakes.set(id, fake)
    return fake
  }
  async function openFork(of: FakeRepository, login: string): Promise<FakeRepository> {
    const known = world.findRepository(`${login}/${of.name}`)
    return known
      ? fakes.get(known.id)!
      : await addRepository({ installation: null, owner: login, name: of.name, private: of.private, forkOf: of })
  }

  async function addTo(installation: Installation, ...repositories: Repository[]): Promise<void> {
    for (const { id } of repositories) installation.repositories.add(id)
    await announce('installation_repositories', () =>
      payloads.installationRepositories(
        'added',
        installation,
        repositories.map(({ id }) => id),
      ),
    )
  }
  async function removeFrom(installation: Installation, ...repositories: Repository[]): Promise<void> {
    for (const { id } of repositories) installation.repositories.delete(id)
    await announce('installation_repositories', () =>
      payloads.installationRepositories(
        'removed',
        installation,
        repositories.map(({ id }) => id),
      ),
    )
  }

  return {
    async addInstallation({ account, accountType, selection = 'selected' }) {
      const installation: Installation = {
        id: world.nextId(),
        account: world.account(account, accountType),
        createdAt: toTime(world.now()),
        suspendedAt: null,
        deleted: false,
        selection,
        repositories: new Set(),
        permissions: { contents: 'read', deployments: 'read', issues: 'write', members: 'read', metadata: 'read', pull_requests: 'write' },
        rate: toFreshRate(world.now()),
      }
      world.installations.set(installation.id, installation)
      await announce('installation', () => payloads.installation('created', installation))
      return installation
    },
    addRepository,
    addTo,
    removeFrom,
    setTeam(org, slug, members, privacy = 'closed') {
      const known = world.teams.findIndex((team) => team.org === org && team.slug === slug)
      const team = { id: world.nextId(), org, slug, privacy, members: new Set(members.map((login) => world.account(login).login)) }
      world.teams.splice(known < 0 ? world.teams.length : known, known < 0 ? 0 : 1, team)
    },
    async suspend(installation) {
      installation.suspendedAt = toTime(world.now())
      await announce('installation', () => payloads.installation('suspend', installation))
    },
    async unsuspend(installation) {
      installation.suspendedAt = null
      await announce('installation', () => payloads.installation('unsuspend', installation))
    },
    async uninstall(installation) {
      installation.deleted = true
      await announce('installation', () => payloads.installation('deleted', installation))
    },
    show(installation, login) {
      const { id } = world.account(login)
      world.seenInstallations.set(id, new Set([...(world.seenInstallations.get(id) ?? []), installation.id]))
    },
  }
}
