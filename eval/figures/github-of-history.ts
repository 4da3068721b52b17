import type { Event } from '#server/testing/fake-github/deliveries.ts'
import type { FakeRepository } from '#server/testing/fake-github/fake-repository.ts'
import type { FakeGithub } from '#server/testing/fake-github/start-fake-github.ts'
import { toTime } from '#server/testing/fake-github/world.ts'
import type { Installation, Release, Review, Thread } from '#server/testing/fake-github/world.ts'
import type { Happening } from './happenings.ts'
import type { Issue, Pull } from './read-history.ts'

export type HistoricGithub = {
  installation: Installation
  /** Has it happen, at the time when it did. @returns what GitHub tells of it, as it is at that moment */
  happen(happening: Happening): Promise<Event>
}

const toText = (at: number) => toTime(new Date(at * 1000))

/** The repositories of a history on GitHub, where nothing has happened yet but their commits. */
export async function createHistoricGithub(github: FakeGithub, installation: Installation, dir: string, names: string[]): Promise<HistoricGithub> {
  const repositories = new Map<string, FakeRepository>()
  for (const name of names) repositories.set(name, await github.addRepository({ installation, name, from: dir }))
  const { world, payloads } = github

  function open(repository: FakeRepository, { number, title, labels, openedAt }: Pull | Issue, author: string, pull: Thread['pull']): Thread {
    const thread: Thread = {
      id: world.nextId(), number, title, body: null, user: world.account(author), association: 'NONE', labels: labels.map((name) => ({ id: world.nextId(), name })),
      state: 'open', locked: false, createdAt: toText(openedAt), updatedAt: toText(openedAt), closedAt: null, comments: [], reactions: [], pull,
    }
    repository.threads.set(number, thread)
    return thread
  }
  async function toBranches(repository: FakeRepository, { number, commits }: Pull): Promise<Thread['pull']> {
    const base = (await repository.store.resolve(`${commits[0]!}^`)) ?? commits[0]!
    const head = { ref: `change-${number}`, sha: commits.at(-1)!, owner: repository.owner, repository }
    return { draft: false, mergedAt: null, base: { ref: repository.defaultBranch, sha: base }, head, reviews: [], reviewComments: [], collapsed: new Set() }
  }
  const touch = (thread: Thread, at: number) => {
    // Time passes, whatever the order is in which somebody looks.
    if (thread.updatedAt < toText(at)) thread.updatedAt = toText(at)
  }

  return {
    installation,
    async happen(happening) {
      const { kind, at } = happening
      switch (kind) {
        case 'pull opened': {
          const { pull } = happening
          const repository = repositories.get(pull.repository)!
          const thread = open(repository, pull, pull.author, await toBranches(repository, pull))
          return github.event('pull_request', await payloads.pullRequest('opened', repository, thread))
        }
        case 'pull merged': {
          const repository = repositories.get(happening.pull.repository)!
          const thread = repository.threads.get(happening.pull.number)!
          Object.assign(thread, { state: 'closed', closedAt: toText(at) })
          thread.pull!.mergedAt = toText(at)
          touch(thread, at)
          return github.event('pull_request', await payloads.pullRequest('closed', repository, thread))
        }
        case 'issue opened': {
          const repository = repositories.get(happening.issue.repository)!
          const thread = open(repository, happening.issue, 'somebody', null)
          return github.event('issues', payloads.issues('opened', repository, thread))
        }
        case 'issue closed': {
          const repository = repositories.get(happening.issue.repository)!
          const thread = repository.threads.get(happening.issue.number)!
          Object.assign(thread, { state: 'closed', closedAt: toText(at) })
          touch(thread, at)
          return github.event('issues', payloads.issues('closed', repository, thread))
        }
        case 'pull reviewed': {
          const repository = repositories.get(happening.pull.repository)!
          const thread = repository.threads.get(happening.pull.number)!
          const review: Review = { id: world.nextId(), user: world.account(happening.review.author), state: 'APPROVED', submittedAt: toText(at) }
          thread.pull!.reviews.push(review)
          touch(thread, at)
          return github.event('pull_request_review', payloads.pullRequestReview('submitted', repository, thread, review))
        }
        case 'release': {
          const { tag } = happening.release
          const repository = repositories.get(happening.release.repository)!
          const release: Release = { id: world.nextId(), tag, name: null, author: world.account('somebody'), draft: false, prerelease: false, createdAt: toText(at), publishedAt: toText(at) }
          repository.releases.push(release)
          return github.event('release', payloads.release('published', repository, release))
        }
        default:
          return kind satisfies never
      }
    },
  }
}
