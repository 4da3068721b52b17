import { LRUCache } from 'lru-cache'
import { NuraError } from '#db/nura-error.ts'
import type { GithubApp } from './app.ts'
import { toOwnerAndRepo } from './owner-and-repo.ts'

/** What a person may do in a repository, as GitHub says it of that person; a label such as «member» is none. */
export type Right = 'none' | 'read' | 'write'

export type Permissions = {
  /**
   * The right of the person who has this login and this id; `none` when the login belongs to somebody else by now.
   * @param repository `owner/name`
   * @throws NuraError what the App throws: nobody may take a right that could not be read for one that is there
   */
  rightOf(installationId: number, repository: string, person: { id: number; login: string }, signal?: AbortSignal): Promise<Right>
  /** Whether the account of this number may read the repository. @throws NuraError as `rightOf` */
  mayRead(installationId: number, repository: string, githubId: number, signal?: AbortSignal): Promise<boolean>
}

/** A right is believed so long, milliseconds: with the question that follows, one that was taken away is gone within a minute. */
const rightMs = 50_000
/** A name is believed so long: whoever has it by now, GitHub says with each right. */
const loginMs = 4 * 60_000
const mostKept = 10_000

/** Asks GitHub, with the installation's token, and remembers what it said for a while; never what it did not say. */
export function createPermissions(app: Pick<GithubApp, 'as'>, { now = Date.now }: { now?: () => number } = {}): Permissions {
  const rights = new LRUCache<string, Right>({ max: mostKept, ttl: rightMs, ttlResolution: 0, perf: { now } })
  const logins = new LRUCache<string, string>({ max: mostKept, ttl: loginMs, ttlResolution: 0, perf: { now } })

  async function rightOf(installationId: number, repository: string, { id, login }: { id: number; login: string }, signal?: AbortSignal): Promise<Right> {
    const key = `${installationId} ${repository.toLowerCase()} ${id} ${login.toLowerCase()}`
    const known = rights.get(key)
    if (known !== undefined) return known
    const { owner, repo } = toOwnerAndRepo(repository)
    const { data } = await app.as(installationId).request('GET /repos/{owner}/{repo}/collaborators/{username}/permission', { owner, repo, username: login, request: { signal } })
    // The login may have been given up and taken by somebody else since the event was sent.
    const right = data.user?.id === id ? toRight(data.permission) : 'none'
    rights.set(key, right)
    return right
  }

  async function loginOf(installationId: number, githubId: number, signal?: AbortSignal): Promise<string> {
    const key = `${installationId} ${githubId}`
    const known = logins.get(key)
    if (known !== undefined) return known
    const { data } = await app.as(installationId).request('GET /user/{account_id}', { account_id: githubId, request: { signal } })
    if (data.id !== githubId) throw new NuraError('github-not-found', 'GitHub has no account of that number.')
    logins.set(key, data.login)
    return data.login
  }

  return {
    rightOf,
    async mayRead(installationId, repository, githubId, signal) {
      const login = await loginOf(installationId, githubId, signal)
      return (await rightOf(installationId, repository, { id: githubId, login }, signal)) !== 'none'
    },
  }
}

/** GitHub tells `maintain` as `write` and `triage` as `read` here. Whatever else it may say one day opens nothing. */
function toRight(permission: string): Right {
  return permission === 'admin' || permission === 'write' ? 'write' : permission === 'read' ? 'read' : 'none'
}
