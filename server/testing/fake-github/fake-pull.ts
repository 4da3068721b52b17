import type { FileChange } from './git-store.ts'
import { createFakeIssue } from './fake-issue.ts'
import type { FakeIssue, Parts } from './fake-issue.ts'
import type { FakeRepository } from './fake-repository.ts'
import { toAssociation, toTime } from './world.ts'
import type { Branches, Comment, Review, Thread } from './world.ts'

export type FakePull = FakeIssue & {
  readonly pull: Branches
  /** A commit on the head branch. */
  push(files: Record<string, FileChange>, message?: string): Promise<string>
  /** The head branch starts again from the base. */
  forcePush(files: Record<string, FileChange>, message?: string): Promise<string>
  setDraft(draft: boolean): Promise<void>
  /** It is to go into another branch. */
  retarget(ref: string): Promise<void>
  merge(login?: string): Promise<void>
  /** The first comment of a review thread. */
  review(
    login: string,
    at: { path: string; line: number; body: string; side?: 'LEFT' | 'RIGHT'; diffHunk?: string },
  ): Promise<Comment>
  /** A verdict over the whole. */
  judge(login: string, state: Review['state']): Promise<Review>
  dismiss(review: Review, login?: string): Promise<void>
  /** An answer below `root`. */
  reply(login: string, root: number, body: string): Promise<Comment>
}

export function createFakePull(
  parts: Parts,
  repository: FakeRepository,
  head: FakeRepository,
  thread: Thread & { pull: Branches },
): FakePull {
  const { world, payloads, announce } = parts
  const { pull } = thread
  async function add(login: string, body: string, review: NonNullable<Comment['review']>): Promise<Comment> {
    const user = world.account(login)
    const now = toTime(world.now())
    const comment = {
      id: world.nextId(),
      user,
      viaApp: false,
      association: toAssociation(repository, user),
      body,
      createdAt: now,
      updatedAt: now,
      reactions: [],
      review,
    }
    pull.reviewComments.push(comment)
    await announce('pull_request_review_comment', () => payloads.reviewComment('created', repository, thread, comment))
    return comment
  }
  return Object.assign(createFakeIssue(parts, repository, thread), {
    pull,
    push: (files: Record<string, FileChange>, message?: string) =>
      head.commit(files, { branch: pull.head.ref, message, author: thread.user.login }),
    forcePush: (files: Record<string, FileChange>, message?: string) =>
      head.commit(files, { branch: pull.head.ref, message, parent: pull.base.sha, author: thread.user.login }),
    async setDraft(draft: boolean) {
      pull.draft = draft
      thread.updatedAt = toTime(world.now())
      await announce('pull_request', () =>
        payloads.pullRequest(draft ? 'converted_to_draft' : 'ready_for_review', repository, thread),
      )
    },
    async retarget(ref: string) {
      const changes = { base: { ref: { from: pull.base.ref }, sha: { from: pull.base.sha } } }
      pull.base = { ref, sha: (await repository.store.resolve(`refs/heads/${ref}`))! }
      thread.updatedAt = toTime(world.now())
      await announce('pull_request', () => payloads.pullRequest('edited', repository, thread, { changes }))
    },
    async merge(login?: string) {
      const { base, head: from } = pull
      const tree = await repository.store.git('merge-tree', '--write-tree', `refs/heads/${base.ref}`, from.sha)
      const tip = await repository.store.resolve(`refs/heads/${base.ref}`)
      const sha = await repository.store.git(
        'commit-tree',
        tree,
        '-p',
        tip!,
        '-p',
        from.sha,
        '-m',
        `Merge pull request #${thread.number}`,
      )
      pull.mergedAt = toTime(world.now())
      thread.state = 'closed'
      thread.closedAt = pull.mergedAt
      thread.updatedAt = pull.mergedAt
      await announce('pull_request', () =>
        payloads.pullRequest('closed', repository, thread, { sender: login ? world.account(login) : thread.user }),
      )
      await repository.setRef(`refs/heads/${base.ref}`, sha, { login })
    },
    async judge(login: string, state: Review['state']) {
      const review: Review = { id: world.nextId(), user: world.account(login), state, submittedAt: toTime(world.now()) }
      pull.reviews.push(review)
      thread.updatedAt = review.submittedAt
      await announce('pull_request_review', () => payloads.pullRequestReview('submitted', repository, thread, review))
      return review
    },
    async dismiss(review: Review, login?: string) {
      review.state = 'DISMISSED'
      thread.updatedAt = toTime(world.now())
      await announce('pull_request_review', () => payloads.pullRequestReview('dismissed', repository, thread, review, login ? world.account(login) : thread.user))
    },
    review(login: string, { path, line, body, side = 'RIGHT', diffHunk = '@@ -1 +1 @@' }: Parameters<FakePull['review']>[1]) {
      return add(login, body, { path, line, side, diffHunk, commitId: pull.head.sha, rootId: null })
    },
    reply(login: string, root: number, body: string) {
      const first = pull.reviewComments.find(({ id }) => id === root)
      if (!first) throw new Error(`There is no review comment ${root} here`)
      return add(login, body, { ...first.review!, rootId: first.review!.rootId ?? root })
    },
  })
}
