import type { FakeRepository } from './fake-repository.ts'
import type { Payloads } from './payloads.ts'
import { toAssociation, toTime } from './world.ts'
import type { Comment, Thread, World } from './world.ts'

/** What the makers of people's acts share. `announce` sends an event when the fake delivers by itself. */
export type Parts = {
  world: World
  payloads: Payloads
  announce(name: string, toPayload: () => object | Promise<object>): Promise<void>
}

/** An issue and what people do with it. People are named by login. */
export type FakeIssue = Thread & {
  comment(login: string, body: string): Promise<Comment>
  editComment(id: number, body: string, login?: string): Promise<void>
  deleteComment(id: number, login?: string): Promise<void>
  edit(change: { title?: string; body?: string }, login?: string): Promise<void>
  label(name: string, login?: string): Promise<void>
  unlabel(name: string, login?: string): Promise<void>
  close(login?: string): Promise<void>
  reopen(login?: string): Promise<void>
}

export function createFakeIssue({ world, payloads, announce }: Parts, repository: FakeRepository, thread: Thread): FakeIssue {
  const now = () => toTime(world.now())
  const { pull } = thread
  const announceThread = (
    action: string,
    login: string | undefined,
    extra: { changes?: Record<string, unknown>; label?: Thread['labels'][number] } = {},
  ) => {
    thread.updatedAt = now()
    const sender = login ? world.account(login) : thread.user
    return announce(pull ? 'pull_request' : 'issues', () =>
      pull
        ? payloads.pullRequest(action, repository, thread, { sender, ...extra })
        : payloads.issues(action, repository, thread, { sender, ...extra }),
    )
  }
  function find(id: number): { comment: Comment; among: Comment[] } {
    const among = [thread.comments, pull?.reviewComments ?? []].find((list) => list.some((comment) => comment.id === id))
    if (!among) throw new Error(`There is no comment ${id} here`)
    return { among, comment: among.find((comment) => comment.id === id)! }
  }
  function announceComment(
    action: string,
    comment: Comment,
    login: string | undefined,
    extra: { changes?: Record<string, unknown> } = {},
  ): Promise<void> {
    const sender = login ? world.account(login) : comment.user
    if (comment.review)
      return announce('pull_request_review_comment', () =>
        payloads.reviewComment(action, repository, thread, comment, { sender, ...extra }),
      )
    return announce('issue_comment', () => payloads.issueComment(action, repository, thread, comment, { sender, ...extra }))
  }
  async function setState(state: 'open' | 'closed', login?: string): Promise<void> {
    thread.state = state
    thread.closedAt = state === 'closed' ? now() : null
    await announceThread(state === 'closed' ? 'closed' : 'reopened', login)
  }
  return Object.assign(thread, {
    async comment(login: string, body: string) {
      const user = world.account(login)
      const comment = {
        id: world.nextId(),
        user,
        viaApp: false,
        association: toAssociation(repository, user),
        body,
        createdAt: now(),
        updatedAt: now(),
        reactions: [],
        review: null,
      }
      thread.comments.push(comment)
      thread.updatedAt = now()
      await announceComment('created', comment, login)
      return comment
    },
    async editComment(id: number, body: string, login?: string) {
      const { comment } = find(id)
      const changes = { body: { from: comment.body } }
      comment.body = body
      comment.updatedAt = now()
      await announceComment('edited', comment, login, { changes })
    },
    async deleteComment(id: number, login?: string) {
      const { comment, among } = find(id)
      among.splice(among.indexOf(comment), 1)
      await announceComment('deleted', comment, login)
    },
    async edit(change: { title?: string; body?: string }, login?: string) {
      const changes = Object.fromEntries(
        (['title', 'body'] as const).filter((key) => change[key] !== undefined).map((key) => [key, { from: thread[key] }]),
      )
      Object.assign(thread, change)
      await announceThread('edited', login, { changes })
    },
    async label(name: string, login?: string) {
      const label = { id: world.nextId(), name }
      thread.labels.push(label)
      await announceThread('labeled', login, { label })
    },
    async unlabel(name: string, login?: string) {
      const [label] = thread.labels.filter((known) => known.name === name)
      thread.labels = thread.labels.filter((known) => known !== label)
      await announceThread('unlabeled', login, { label })
    },
    close: (login?: string) => setState('closed', login),
    reopen: (login?: string) => setState('open', login),
  })
}
