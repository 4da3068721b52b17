import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { toGitEnvironment } from '#server/sources/config.ts'
import type { TestRepository } from '#server/testing/create-repository.ts'
import { toLogin } from '../figures/read-history.ts'

const run = promisify(execFile)

/** A commit that somebody wrote at one time and that landed at another. */
export type Landing = { author: string; email?: string; authored: string; committed: string; files: Record<string, string>; message: string }

/** Commits it on top of what is there. */
export async function land(repository: TestRepository, { author, email = `${toLogin(author)}@example.com`, authored, committed, files, message }: Landing): Promise<void> {
  await repository.write(files)
  await repository.git('add', '--all')
  const env = { ...toGitEnvironment(), GIT_AUTHOR_NAME: author, GIT_AUTHOR_EMAIL: email, GIT_AUTHOR_DATE: authored, GIT_COMMITTER_NAME: 'Landing', GIT_COMMITTER_EMAIL: 'landing@example.com', GIT_COMMITTER_DATE: committed }
  await run('git', ['-C', repository.dir, '-c', 'commit.gpgsign=false', 'commit', '--quiet', '--message', message], { env })
}
