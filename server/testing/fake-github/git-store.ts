import { execFile, spawn } from 'node:child_process'
import { toGitEnvironment } from '../../sources/config.ts'

/** What a path holds: text or bytes, with a mode where it is no plain file (a link's target, a submodule's commit); null removes it. */
export type FileChange = string | Buffer | { mode: '100644' | '100755' | '120000' | '160000'; content: string | Buffer } | null

export type CommitOptions = {
  /** Default: the branch that HEAD names. */
  branch?: string
  message?: string
  /** The commit it stands on; default: the branch's tip, so that the branch moves forward. */
  parent?: string
  author?: { name: string; email: string }
  at?: Date
  /** Renames of files or folders, made before the changes. */
  moves?: [from: string, to: string][]
}

/** A bare repository on disk. */
export type GitStore = {
  readonly dir: string
  /** Runs git and gives its output, trimmed. */
  git(...args: string[]): Promise<string>
  bytes(...args: string[]): Promise<Buffer>
  /** What `make` found for a key that names objects by id, which never change. */
  remember<Value>(key: string, make: () => Promise<Value>): Promise<Value>
  /** The object id a name stands for, or null. `kind`: what it must lead to. */
  resolve(name: string, kind?: 'commit' | 'tree' | 'blob'): Promise<string | null>
  /** Makes a commit, moves its branch there, and returns its id. */
  commit(files: Record<string, FileChange>, options?: CommitOptions): Promise<string>
}

const settings = [
  '-c',
  'user.name=Fake',
  '-c',
  'user.email=fake@example.com',
  '-c',
  'core.quotePath=false',
  '-c',
  'gc.auto=0',
  '-c',
  'safe.directory=*',
]

/** A new bare repository in `dir`, empty or with the history of another one. */
export async function createGitStore(
  dir: string,
  { from, defaultBranch = 'main' }: { from?: string; defaultBranch?: string } = {},
): Promise<GitStore> {
  if (from) await run(['clone', '--quiet', '--bare', '--no-hardlinks', from, dir])
  else await run(['init', '--quiet', '--bare', `--initial-branch=${defaultBranch}`, dir])
  const told = new Map<string, Promise<Buffer>>()
  /** What is asked of objects by their ids never changes, and a process for each question is what a fake's time goes to. */
  function bytes(...args: string[]): Promise<Buffer> {
    if (!isOfObjects(args)) return run(['-C', dir, ...args])
    const key = args.join('\0')
    const known = told.get(key)
    if (known) return known
    const asked = run(['-C', dir, ...args])
    told.set(key, asked)
    // What is not there may come.
    asked.catch(() => told.delete(key))
    return asked
  }
  const git = async (...args: string[]) => (await bytes(...args)).toString('utf8').trim()
  const remembered = new Map<string, Promise<unknown>>()
  function remember<Value>(key: string, make: () => Promise<Value>): Promise<Value> {
    const known = remembered.get(key) ?? make()
    remembered.set(key, known)
    return known as Promise<Value>
  }
  // A checkout that stands on no branch.
  if (from) await git('symbolic-ref', '--quiet', 'HEAD').catch(() => attach(git, defaultBranch))
  const resolve = (name: string, kind: string = 'commit') =>
    git('rev-parse', '--quiet', '--verify', '--end-of-options', `${name}^{${kind}}`).catch(() => null)

  async function commit(files: Record<string, FileChange>, options: CommitOptions = {}): Promise<string> {
    const branch = options.branch ?? (await git('symbolic-ref', '--short', 'HEAD'))
    const parent = options.parent ?? (await resolve(`refs/heads/${branch}`))
    const output = await run(
      ['-C', dir, 'fast-import', '--quiet', '--force', '--done'],
      toStream(files, { ...options, branch, parent }),
    )
    return output.toString('utf8').trim()
  }
  return { dir, git, bytes, remember, resolve, commit }
}

const ofObjects = new Set(['cat-file', 'diff', 'diff-tree', 'log', 'ls-tree', 'merge-base', 'rev-list', 'rev-parse'])
const byId = /^[0-9a-f]{40}(\^\{\w+\}|\^?!|(\.{2,3}[0-9a-f]{40}))?$/

/** A question whose every word that is no option names objects by id. */
function isOfObjects([command = '', ...rest]: string[]): boolean {
  const words = rest.filter((word) => !/^-(?!-(?:all|branches|glob|remotes|tags|not|exclude|batch))/.test(word))
  return ofObjects.has(command) && words.length > 0 && words.every((word) => byId.test(word))
}

async function attach(git: GitStore['git'], branch: string): Promise<void> {
  await git('branch', '--force', branch, 'HEAD')
  await git('symbolic-ref', 'HEAD', `refs/heads/${branch}`)
}

/** One commit in the language of git fast-import, which answers with its id. */
function toStream(
  files: Record<string, FileChange>,
  {
    branch,
    parent,
    message = 'Change',
    author,
    at = new Date(),
    moves = [],
  }: Omit<CommitOptions, 'parent'> & { branch: string; parent: string | null },
): Buffer {
  const when = `${Math.floor(at.getTime() / 1000)} +0000`
  const { name, email } = author ?? { name: 'Fake', email: 'fake@example.com' }
  const pieces: (string | Buffer)[] = [
    `commit refs/heads/${branch}\nmark :1\nauthor ${name} <${email}> ${when}\ncommitter ${name} <${email}> ${when}\ndata ${Buffer.byteLength(message)}\n${message}\n`,
    ...(parent ? [`from ${parent}\n`] : []),
    ...moves.map(([from, to]) => `R ${JSON.stringify(from)} ${JSON.stringify(to)}\n`),
  ]
  for (const [path, change] of Object.entries(files)) {
    const { mode, content } =
      change === null || typeof change === 'string' || Buffer.isBuffer(change) ? { mode: '100644', content: change } : change
    const bytes = Buffer.from(content ?? '')
    if (content === null) pieces.push(`D ${JSON.stringify(path)}\n`)
    else if (mode === '160000') pieces.push(`M 160000 ${bytes.toString('utf8')} ${JSON.stringify(path)}\n`)
    else pieces.push(`M ${mode} inline ${JSON.stringify(path)}\ndata ${bytes.length}\n`, bytes, '\n')
  }
  return Buffer.concat([...pieces, '\nget-mark :1\ndone\n'].map((piece) => Buffer.from(piece)))
}

function run(args: string[], input?: Buffer): Promise<Buffer> {
  const env = toGitEnvironment()
  if (!input) {
    return new Promise((resolve, reject) => {
      execFile('git', [...settings, ...args], { env, encoding: 'buffer', maxBuffer: 2 ** 30 }, (error, stdout, stderr) =>
        error ? reject(new Error(`git ${args.join(' ')}: ${stderr.toString('utf8')}`, { cause: error })) : resolve(stdout),
      )
    })
  }
  return new Promise((resolve, reject) => {
    const child = spawn('git', [...settings, ...args], { env })
    const pieces: Buffer[] = []
    let complaint = ''
    child.stdout.on('data', (bytes: Buffer) => pieces.push(bytes))
    child.stderr.on('data', (bytes: Buffer) => (complaint += bytes.toString('utf8')))
    child.on('error', reject)
    child.on('close', (code) =>
      code === 0 ? resolve(Buffer.concat(pieces)) : reject(new Error(`git ${args.join(' ')}: ${complaint}`)),
    )
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}
