import { createFakeIssue } from './fake-issue.ts'
import type { FakeIssue, Parts } from './fake-issue.ts'
import { createFakePull } from './fake-pull.ts'
import type { FakePull } from './fake-pull.ts'
import { toEmail } from './commits.ts'
import type { CommitOptions, FileChange } from './git-store.ts'
import { zeros } from './payloads.ts'
import { toAssociation, toFullName, toTime } from './world.ts'
import type { Account, Deployment, Permission, Release, Repository, Thread } from './world.ts'

export type OpenPull = {
  branch: string
  /** Committed on `branch`, which is made from the base where it does not exist. */
  files?: Record<string, FileChange>
  base?: string
  title?: string
  body?: string | null
  author?: string
  draft?: boolean
  labels?: string[]
  /** Login of the owner of a fork, which is made when it is new. */
  from?: string
}

/** A repository and what people do with it. People are named by login. */
export type FakeRepository = Repository & {
  readonly fullName: string
  git(...args: string[]): Promise<string>
  /** Pushes one commit: moves the branch (default: the default branch), updates its pull requests, and returns the id. */
  commit(files: Record<string, FileChange>, options?: Omit<CommitOptions, 'author'> & { author?: string }): Promise<string>
  /** Moves a ref there, or deletes it when `sha` is null; a move that is not forward is a forced push. */
  setRef(ref: string, sha: string | null, options?: { login?: string }): Promise<void>
  forcePush(branch: string, sha: string): Promise<void>
  openPull(options: OpenPull): Promise<FakePull>
  openIssue(options?: { title?: string; body?: string | null; author?: string; labels?: string[] }): Promise<FakeIssue>
  /** Publishes a release; a draft is told to nobody. */
  release(tag: string, options?: { name?: string | null; author?: string; draft?: boolean; prerelease?: boolean }): Promise<Release>
  deleteRelease(id: number): Promise<void>
  /** A deployment, with statuses that it got one after another. */
  deploy(environment: string, options?: { ref?: string; author?: string; states?: string[] }): Promise<Deployment>
  setDeploymentState(deployment: Deployment, state: string): Promise<void>
  deleteIssue(number: number): Promise<void>
  /** What a person may do here; 'none' takes it away. */
  permit(login: string, permission: Permission): void
  rename(name: string): Promise<void>
  transfer(owner: string, type?: Account['type']): Promise<void>
  setPrivate(isPrivate: boolean): Promise<void>
  archive(): Promise<void>
  delete(): Promise<void>
}

/** `openFork` finds or makes the fork that belongs to a login. */
export function createFakeRepository(
  parts: Parts,
  repository: Repository,
  openFork: (of: FakeRepository, login: string) => Promise<FakeRepository>,
): FakeRepository {
  const { world, payloads, announce } = parts
  const { store } = repository
  const now = () => toTime(world.now())
  const someone = (login?: string) =>
    world.account(login ?? (repository.owner.type === 'User' ? repository.owner.login : 'octocat'))
  const next = () => Math.max(0, ...repository.threads.keys()) + 1

  /** What follows from a ref that moved: the push event, and the pull requests whose head it is. */
  async function follow(ref: string, before: string | null, after: string | null, sender: Account): Promise<void> {
    if (before === after) return
    repository.pushedAt = now()
    const forced = before !== null && after !== null && !(await isAncestor(before, after))
    await announce('push', () =>
      payloads.push(repository, { ref, before: before ?? zeros, after: after ?? zeros, forced, sender }),
    )
    for (const base of world.repositories.values()) {
      for (const thread of base.threads.values()) {
        const { pull } = thread
        if (thread.state === 'closed' || pull?.head.repository?.id !== repository.id || `refs/heads/${pull.head.ref}` !== ref)
          continue
        if (!after) {
          // Nothing is left to merge.
          Object.assign(thread, { state: 'closed', closedAt: now(), updatedAt: now() })
          await announce('pull_request', () => payloads.pullRequest('closed', base, thread, { sender }))
          continue
        }
        const earlier = pull.head.sha
        await keepHead(base, thread.number, repository, after)
        pull.head.sha = after
        thread.updatedAt = now()
        await announce('pull_request', () =>
          payloads.pullRequest('synchronize', base, thread, { sender, before: earlier, after }),
        )
      }
    }
  }
  async function isAncestor(before: string, after: string): Promise<boolean> {
    return await store.git('merge-base', '--is-ancestor', before, after).then(
      () => true,
      () => false,
    )
  }
  function open(
    number: number,
    {
      title,
      body,
      labels = [],
      user,
      pull,
    }: { title: string; body: string | null; labels?: string[]; user: Account; pull: Thread['pull'] },
  ): Thread {
    const made = labels.map((name) => ({ id: world.nextId(), name }))
    const state = {
      state: 'open' as const,
      locked: false,
      createdAt: now(),
      updatedAt: now(),
      closedAt: null,
      comments: [],
      reactions: [],
    }
    const thread: Thread = {
      id: world.nextId(),
      number,
      user,
      association: toAssociation(repository, user),
      title,
      body,
      labels: made,
      ...state,
      pull,
    }
    repository.threads.set(number, thread)
    return thread
  }

  const fake: FakeRepository = Object.assign(repository, {
    fullName: '',
    git: store.git,
    async commit(files: Record<string, FileChange>, options: Omit<CommitOptions, 'author'> & { author?: string } = {}) {
      const user = someone(options.author)
      const ref = `refs/heads/${options.branch ?? repository.defaultBranch}`
      const before = await store.resolve(ref)
      const sha = await store.commit(files, {
        at: world.now(),
        ...options,
        branch: ref.slice('refs/heads/'.length),
        author: { name: user.login, email: toEmail(user) },
      })
      await follow(ref, before, sha, user)
      return sha
    },
    async setRef(ref: string, sha: string | null, { login }: { login?: string } = {}) {
      const before = await store.resolve(ref)
      await store.git('update-ref', ...(sha === null ? ['-d', ref] : [ref, sha]))
      await follow(ref, before, sha, someone(login))
    },
    forcePush: (branch: string, sha: string) => fake.setRef(`refs/heads/${branch}`, sha),
    async openPull({
      branch,
      files,
      base = repository.defaultBranch,
      title = 'A change',
      body = null,
      author,
      draft = false,
      labels,
      from,
    }: OpenPull) {
      const user = someone(author ?? from)
      const head = from ? await openFork(fake, from) : fake
      const baseSha = (await store.resolve(`refs/heads/${base}`))!
      // A fork may be older than the base is now.
      if (head.id !== repository.id) await head.store.git('fetch', '--quiet', '--no-tags', store.dir, baseSha)
      const known = await head.store.resolve(`refs/heads/${branch}`)
      if (files || !known)
        await head.commit(files ?? {}, { branch, author: user.login, message: title, ...(known ? {} : { parent: baseSha }) })
      const sha = (await head.store.resolve(`refs/heads/${branch}`))!
      const number = next()
      await keepHead(repository, number, head, sha)
      const pull = {
        draft,
        mergedAt: null,
        base: { ref: base, sha: baseSha },
        head: { ref: branch, sha, owner: head.owner, repository: head },
        reviewComments: [],
        reviews: [],
        collapsed: new Set<string>(),
      }
      const thread = open(number, { title, body, labels, user, pull })
      await announce('pull_request', () => payloads.pullRequest('opened', repository, thread))
      return createFakePull(parts, fake, head, Object.assign(thread, { pull }))
    },
    async openIssue({
      title = 'A question',
      body = null,
      author,
      labels,
    }: { title?: string; body?: string | null; author?: string; labels?: string[] } = {}) {
      const thread = open(next(), { title, body, labels, user: someone(author), pull: null })
      await announce('issues', () => payloads.issues('opened', repository, thread))
      return createFakeIssue(parts, fake, thread)
    },
    async release(tag: string, { name = null, author, draft = false, prerelease = false }: { name?: string | null; author?: string; draft?: boolean; prerelease?: boolean } = {}) {
      const release: Release = { id: world.nextId(), tag, name, author: someone(author), draft, prerelease, createdAt: now(), publishedAt: draft ? null : now() }
      repository.releases.push(release)
      if (!draft) await announce('release', () => payloads.release('published', repository, release))
      return release
    },
    async deleteRelease(id: number) {
      const [release] = repository.releases.splice(repository.releases.findIndex((known) => known.id === id), 1)
      await announce('release', () => payloads.release('deleted', repository, release!))
    },
    async deploy(environment: string, { ref = repository.defaultBranch, author, states = [] }: { ref?: string; author?: string; states?: string[] } = {}) {
      const sha = (await store.resolve(ref)) ?? zeros
      const deployment: Deployment = { id: world.nextId(), environment, ref, sha, creator: someone(author), createdAt: now(), updatedAt: now(), statuses: [] }
      repository.deployments.push(deployment)
      await announce('deployment', () => payloads.deployment(repository, deployment))
      for (const state of states) await fake.setDeploymentState(deployment, state)
      return deployment
    },
    async setDeploymentState(deployment: Deployment, state: string) {
      deployment.statuses.push({ id: world.nextId(), state, createdAt: now() })
      deployment.updatedAt = now()
      await announce('deployment_status', () => payloads.deploymentStatus(repository, deployment))
    },
    async deleteIssue(number: number) {
      const thread = repository.threads.get(number)!
      repository.threads.delete(number)
      await announce('issues', () => payloads.issues('deleted', repository, thread))
    },
    permit: (login: string, permission: Permission) => void repository.permissions.set(world.account(login).id, permission),
    async rename(name: string) {
      const from = repository.name
      world.formerNames.set(toFullName(repository).toLowerCase(), repository.id)
      repository.name = name
      await announce('repository', () =>
        payloads.repository('renamed', repository, { changes: { repository: { name: { from } } } }),
      )
    },
    async transfer(login: string, type?: Account['type']) {
      const from = repository.owner
      world.formerNames.set(toFullName(repository).toLowerCase(), repository.id)
      repository.owner = world.account(login, type)
      await announce('repository', () =>
        payloads.repository('transferred', repository, { changes: { owner: { from: payloads.toOwner(from) } } }),
      )
    },
    async setPrivate(isPrivate: boolean) {
      repository.private = isPrivate
      await announce('repository', () => payloads.repository(isPrivate ? 'privatized' : 'publicized', repository))
      if (!isPrivate) await announce('public', () => payloads.open(repository))
    },
    async archive() {
      repository.archived = true
      await announce('repository', () => payloads.repository('archived', repository))
    },
    async delete() {
      repository.deleted = true
      await announce('repository', () => payloads.repository('deleted', repository))
    },
  })
  return Object.defineProperty(fake, 'fullName', { get: () => toFullName(repository) })
}

/** GitHub keeps the head of every pull request in the base's repository, where a fork's commits come to stay. */
async function keepHead(base: Repository, number: number, head: Repository, sha: string): Promise<void> {
  if (head.id !== base.id) await base.store.git('fetch', '--quiet', '--no-tags', head.store.dir, sha)
  await base.store.git('update-ref', `refs/pull/${number}/head`, sha)
}
