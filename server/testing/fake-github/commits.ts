import { toUser } from './views.ts'
import { toFullName } from './world.ts'
import type { Account, Repository, World } from './world.ts'

type Json = Record<string, unknown>

const format = ['%H', '%T', '%P', '%an', '%ae', '%aI', '%cn', '%ce', '%cI', '%B'].join('%x1f') + '%x1e'

/** The address that ties a commit to an account. */
export function toEmail({ id, login }: Account): string {
  return `${id}+${login}@users.noreply.github.com`
}

/** Whose address it is; null where GitHub knows nobody by it. */
export function findByEmail(world: World, email: string): Account | null {
  return [...world.accounts.values()].find((account) => toEmail(account) === email) ?? null
}

export type CommitData = {
  sha: string
  tree: string
  parents: string[]
  author: Signature
  committer: Signature
  message: string
}
type Signature = { name: string; email: string; date: string }

/** Commits by id, in the order asked. */
export async function readCommits({ store }: Repository, shas: string[]): Promise<CommitData[]> {
  if (shas.length === 0) return []
  const output = (await store.bytes('log', '--no-walk=unsorted', `--format=${format}`, ...shas, '--')).toString('utf8')
  const records = output
    .split('\x1e')
    .map((record) => record.replace(/^\n/, '').split('\x1f'))
    .filter(([sha]) => sha)
  const byId = new Map(
    records.map(
      ([
        sha = '',
        tree = '',
        parents = '',
        name = '',
        email = '',
        date = '',
        byName = '',
        byEmail = '',
        byDate = '',
        message = '',
      ]) => [
        sha,
        {
          sha,
          tree,
          parents: parents.split(' ').filter(Boolean),
          author: { name, email, date: toUtc(date) },
          committer: { name: byName, email: byEmail, date: toUtc(byDate) },
          message: message.trimEnd(),
        },
      ],
    ),
  )
  return shas.map((sha) => byId.get(sha)!)
}

/** Commits as `/commits` tells them: with the accounts of their people. */
export async function toCommits(world: World, repository: Repository, shas: string[]): Promise<Json[]> {
  const url = `${world.api}/repos/${toFullName(repository)}`
  const html = `${world.web}/${toFullName(repository)}/commit`
  const toPerson = (email: string) => {
    const account = findByEmail(world, email)
    return account && toUser(world, account)
  }
  return (await readCommits(repository, shas)).map(({ sha, tree, parents, author, committer, message }) => ({
    sha,
    node_id: `C_${sha}`,
    commit: {
      author,
      committer,
      message,
      tree: { sha: tree, url: `${url}/git/trees/${tree}` },
      url: `${url}/git/commits/${sha}`,
      comment_count: 0,
      verification,
    },
    url: `${url}/commits/${sha}`,
    html_url: `${html}/${sha}`,
    comments_url: `${url}/commits/${sha}/comments`,
    author: toPerson(author.email),
    committer: toPerson(committer.email),
    parents: parents.map((parent) => ({ sha: parent, url: `${url}/commits/${parent}`, html_url: `${html}/${parent}` })),
  }))
}

/** A commit as the git database tells it. */
export async function toCommit(world: World, repository: Repository, id: string): Promise<Json> {
  const [commit] = await readCommits(repository, [id])
  const { sha, tree, parents, author, committer, message } = commit!
  const url = `${world.api}/repos/${toFullName(repository)}/git`
  const html = `${world.web}/${toFullName(repository)}/commit`
  return {
    sha,
    node_id: `C_${sha}`,
    url: `${url}/commits/${sha}`,
    html_url: `${html}/${sha}`,
    author,
    committer,
    tree: { sha: tree, url: `${url}/trees/${tree}` },
    message,
    parents: parents.map((parent) => ({ sha: parent, url: `${url}/commits/${parent}`, html_url: `${html}/${parent}` })),
    verification,
  }
}

const verification = { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null }

function toUtc(date: string): string {
  return `${new Date(date).toISOString().slice(0, 19)}Z`
}
