import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { toGitEnvironment } from '../sources/config.ts'

const run = promisify(execFile)
const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false', '-c', 'init.defaultBranch=main']

/** A real git repository in a temporary folder, changed through its working tree as a person would. */
export type TestRepository = {
  readonly dir: string
  git(...args: string[]): Promise<string>
  write(files: Record<string, string | Buffer>): Promise<void>
  remove(path: string): Promise<void>
  move(from: string, to: string): Promise<void>
  link(path: string, target: string): Promise<void>
  setExecutable(path: string): Promise<void>
  /** Commits everything that changed and returns the commit id. */
  commit(message?: string): Promise<string>
  [Symbol.asyncDispose](): Promise<void>
}

export async function createRepository(files: Record<string, string | Buffer> = {}): Promise<TestRepository> {
  const dir = await mkdtemp(join(tmpdir(), 'nura-repository-'))
  const git = async (...args: string[]) => (await run('git', ['-C', dir, ...identity, ...args], { env: toGitEnvironment() })).stdout.trim()
  await git('init', '--quiet')

  async function write(contents: Record<string, string | Buffer>): Promise<void> {
    for (const [path, content] of Object.entries(contents)) {
      await mkdir(dirname(join(dir, path)), { recursive: true })
      await writeFile(join(dir, path), content)
    }
  }
  async function commit(message = 'Change'): Promise<string> {
    await git('add', '--all', '--force')
    await git('commit', '--quiet', '--message', message)
    return await git('rev-parse', 'HEAD')
  }

  await write(files)
  if (Object.keys(files).length > 0) await commit()
  return {
    dir,
    git,
    write,
    commit,
    remove: (path) => rm(join(dir, path), { recursive: true }),
    async move(from, to) {
      await mkdir(dirname(join(dir, to)), { recursive: true })
      await rename(join(dir, from), join(dir, to))
    },
    link: (path, target) => symlink(target, join(dir, path)),
    setExecutable: (path) => chmod(join(dir, path), 0o755),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  }
}
