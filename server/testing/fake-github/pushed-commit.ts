import { readCommits } from './commits.ts'
import { toFullName } from './world.ts'
import type { Repository, World } from './world.ts'

/** A commit as the event of its push tells it: with the paths that it touched. */
export async function toPushedCommit(world: World, repository: Repository, sha: string): Promise<Record<string, unknown>> {
  const [commit] = await readCommits(repository, [sha])
  const { tree, parents, author, committer, message } = commit!
  const from = parents[0] ? [parents[0], sha] : ['--root', sha]
  const lines = (
    await repository.store.bytes('diff-tree', '-r', '-z', '--no-commit-id', '--no-renames', '--name-status', ...from)
  )
    .toString('utf8')
    .split('\0')
  const paths = (letters: string) =>
    lines
      .flatMap((letter, at) => (at % 2 === 0 && letters.includes(letter) && letter !== '' ? [lines[at + 1]!] : []))
      .slice(0, 3000)
  const toPerson = ({ name, email }: { name: string; email: string }) => ({
    name,
    email,
    username: /^\d+\+(.+)@users\.noreply\.github\.com$/.exec(email)?.[1] ?? name,
  })
  return {
    id: sha,
    tree_id: tree,
    distinct: true,
    message,
    timestamp: committer.date,
    url: `${world.web}/${toFullName(repository)}/commit/${sha}`,
    author: toPerson(author),
    committer: toPerson(committer),
    added: paths('A'),
    removed: paths('D'),
    modified: paths('MT'),
  }
}
