import { toPushedCommit } from './pushed-commit.ts'
import { readWholePull } from './routes-pulls.ts'
import { toDeployment, toDeploymentStatus, toRelease, toReview } from './activity-views.ts'
import { toComment, toIssue, toLabel, toPullInList, toReviewComment } from './thread-views.ts'
import { toInstallation, toInstallationMark, toNodeId, toRepository, toUser } from './views.ts'
import { toFullName } from './world.ts'
import type { Account, Comment, Deployment, Installation, Label, Release, Repository, Review, Thread, World } from './world.ts'

type Json = Record<string, unknown>
export const zeros = '0'.repeat(40)
const mostCommits = 2048

/** What GitHub posts when something happens, made from what the fake knows. `sender` defaults to who most likely did it. */
export function createPayloads(world: World) {
  /** What stands on every event of a repository. */
  function toFrame(repository: Repository, sender: Account): Json {
    const organization = repository.owner.type === 'Organization' ? { organization: toOrganization(repository.owner) } : {}
    return {
      repository: toRepository(world, repository),
      ...organization,
      ...toInstallationMark(world, repository),
      sender: toUser(world, sender),
    }
  }
  function toOrganization({ id, login }: Account): Json {
    const url = `${world.api}/orgs/${login}`
    const links = {
      repos_url: `${url}/repos`,
      events_url: `${url}/events`,
      hooks_url: `${url}/hooks`,
      issues_url: `${url}/issues`,
      members_url: `${url}/members{/member}`,
      public_members_url: `${url}/public_members{/member}`,
    }
    return {
      login,
      id,
      node_id: toNodeId('Organization', id),
      url,
      ...links,
      avatar_url: `${world.web}/avatars/${id}?v=4`,
      description: '',
    }
  }
  /** Only when it is suspended are its times text. */
  function toTold(action: string, installation: Installation): Json {
    const shown = toInstallation(world, installation)
    const seconds = (time: unknown) => Math.floor(Date.parse(String(time)) / 1000)
    return action.endsWith('suspend')
      ? shown
      : { ...shown, created_at: seconds(shown.created_at), updated_at: seconds(shown.updated_at) }
  }
  const toShort = (repository: Repository) => ({
    id: repository.id,
    node_id: toNodeId('Repository', repository.id),
    name: repository.name,
    full_name: toFullName(repository),
    private: repository.private,
  })
  const listOf = (ids: Iterable<number>) => [...ids].map((id) => toShort(world.repositories.get(id)!))

  return {
    /** A branch or tag that moved, appeared (`before` of zeros) or went away (`after` of zeros). */
    async push(
      repository: Repository,
      {
        ref,
        before,
        after,
        forced = false,
        sender = repository.owner,
      }: { ref: string; before: string; after: string; forced?: boolean; sender?: Account },
    ): Promise<Json> {
      const { store } = repository
      const isTag = ref.startsWith('refs/tags/')
      // A new branch brings what no other one has.
      const range = before === zeros ? [after, '--not', `--exclude=${ref}`, '--glob=refs/heads'] : [`${before}..${after}`]
      const shas =
        after === zeros || isTag ? [] : (await store.git('rev-list', '--reverse', ...range)).split('\n').filter(Boolean)
      const commits = await Promise.all(shas.slice(-mostCommits).map((sha) => toPushedCommit(world, repository, sha)))
      const html = `${world.web}/${toFullName(repository)}`
      const email = `${sender.id}+${sender.login}@users.noreply.github.com`
      const shown = toRepository(world, repository)
      const owner = { name: repository.owner.login, email: null, ...toUser(world, repository.owner) }
      const toSeconds = (time: string) => Math.floor(Date.parse(time) / 1000)
      const asPushed = {
        owner,
        url: html,
        created_at: toSeconds(repository.createdAt),
        pushed_at: toSeconds(repository.pushedAt),
        stargazers: 0,
        master_branch: repository.defaultBranch,
      }
      return {
        ref,
        before,
        after,
        ...toFrame(repository, sender),
        repository: { ...shown, ...asPushed },
        created: before === zeros,
        deleted: after === zeros,
        forced,
        base_ref: null,
        compare: `${html}/compare/${before.slice(0, 12)}...${after.slice(0, 12)}`,
        commits,
        head_commit: after === zeros ? null : await toPushedCommit(world, repository, (await store.resolve(after)) ?? after),
        pusher: { name: sender.login, email },
      }
    },

    async pullRequest(
      action: string,
      repository: Repository,
      pull: Thread,
      { sender = pull.user, ...extra }: { sender?: Account; before?: string; after?: string; label?: Label; changes?: Json } = {},
    ): Promise<Json> {
      const { label, ...rest } = extra
      return {
        action,
        number: pull.number,
        pull_request: await readWholePull(world, repository, pull),
        ...rest,
        ...(label ? { label: toLabel(world, repository, label) } : {}),
        ...toFrame(repository, sender),
      }
    },

    issues(
      action: string,
      repository: Repository,
      issue: Thread,
      { sender = issue.user, ...extra }: { sender?: Account; changes?: Json } = {},
    ): Json {
      return { action, issue: toIssue(world, repository, issue), ...extra, ...toFrame(repository, sender) }
    },

    /** A comment below an issue or below a pull request, which then is an issue with the key `pull_request`. */
    issueComment(
      action: string,
      repository: Repository,
      thread: Thread,
      comment: Comment,
      { sender = comment.user, ...extra }: { sender?: Account; changes?: Json } = {},
    ): Json {
      return {
        action,
        issue: toIssue(world, repository, thread),
        comment: toComment(world, repository, thread, comment),
        ...extra,
        ...toFrame(repository, sender),
      }
    },

    reviewComment(
      action: string,
      repository: Repository,
      pull: Thread,
      comment: Comment,
      { sender = comment.user, ...extra }: { sender?: Account; changes?: Json } = {},
    ): Json {
      return {
        action,
        comment: toReviewComment(world, repository, pull, comment),
        pull_request: toPullInList(world, repository, pull),
        ...extra,
        ...toFrame(repository, sender),
      }
    },

    /** submitted, dismissed. */
    pullRequestReview(action: string, repository: Repository, pull: Thread, review: Review, sender: Account = review.user): Json {
      const shown = toReview(world, repository, pull, review)
      return { action, review: { ...shown, state: review.state.toLowerCase() }, pull_request: toPullInList(world, repository, pull), ...toFrame(repository, sender) }
    },

    /** published, edited, deleted. */
    release(action: string, repository: Repository, release: Release): Json {
      return { action, release: toRelease(world, repository, release), ...toFrame(repository, release.author) }
    },

    deployment(repository: Repository, deployment: Deployment): Json {
      return { action: 'created', deployment: toDeployment(world, repository, deployment), workflow: null, workflow_run: null, ...toFrame(repository, deployment.creator) }
    },

    /** Of its last status. */
    deploymentStatus(repository: Repository, deployment: Deployment): Json {
      const status = toDeploymentStatus(world, repository, deployment, deployment.statuses.at(-1)!)
      return { action: 'created', deployment_status: status, deployment: toDeployment(world, repository, deployment), check_run: null, workflow: null, workflow_run: null, ...toFrame(repository, deployment.creator) }
    },

    /** renamed, transferred, privatized, publicized, archived, unarchived, edited, deleted. */
    repository(
      action: string,
      repository: Repository,
      { sender = repository.owner, ...extra }: { sender?: Account; changes?: Json } = {},
    ): Json {
      return { action, ...extra, ...toFrame(repository, sender) }
    },

    /** The event `public`. */
    open(repository: Repository, sender: Account = repository.owner): Json {
      return toFrame(repository, sender)
    },

    toOwner: (account: Account): Json => ({
      [account.type === 'Organization' ? 'organization' : 'user']:
        account.type === 'Organization' ? toOrganization(account) : toUser(world, account),
    }),

    /** created, deleted, suspend, unsuspend. */
    installation(action: string, installation: Installation, sender: Account = installation.account): Json {
      const requester = action === 'created' ? { requester: null } : {}
      return {
        action,
        installation: toTold(action, installation),
        repositories: listOf(installation.repositories),
        ...requester,
        sender: toUser(world, sender),
      }
    },

    installationRepositories(
      action: 'added' | 'removed',
      installation: Installation,
      ids: number[],
      sender: Account = installation.account,
    ): Json {
      return {
        action,
        installation: toTold(action, installation),
        repository_selection: installation.selection,
        repositories_added: action === 'added' ? listOf(ids) : [],
        repositories_removed: action === 'removed' ? listOf(ids) : [],
        requester: null,
        sender: toUser(world, sender),
      }
    },
  }
}

export type Payloads = ReturnType<typeof createPayloads>
