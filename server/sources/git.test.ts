import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { applyDifference, inPathOrder } from '../testing/apply-difference.ts'
import { createRepository } from '../testing/create-repository.ts'
import type { TestRepository } from '../testing/create-repository.ts'
import { sourceContract } from '../testing/source-contract.ts'
import { createGitSource } from './git.ts'
import { fromGitRemote } from './git-remote.ts'

describe('a git checkout as a source', () => {
  sourceContract({ createRepository, open: ({ dir }) => createGitSource(dir) })
})

async function createFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'nura-folder-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

describe('a folder that cannot be indexed', () => {
  test('one that is no checkout', async () => {
    await expect(createGitSource(await createFolder()).head()).rejects.toMatchObject({ code: 'not-a-repository' })
  })

  test('one that does not exist', async () => {
    await expect(createGitSource('/nowhere/at/all').head()).rejects.toMatchObject({ code: 'not-a-repository' })
  })

  test('any, on a machine without git', async () => {
    const dir = await createFolder()
    vi.stubEnv('PATH', dir)
    onTestFinished(() => void vi.unstubAllEnvs())
    await expect(createGitSource(dir).head()).rejects.toMatchObject({ code: 'git-missing', message: expect.stringContaining('Install git') })
  })
})

test('a folder inside a checkout stands for the whole', async () => {
  await using repository = await createRepository({ 'a.ts': 'a', 'sub/b.ts': 'b' })
  const source = createGitSource(join(repository.dir, 'sub'))
  const { sha, name } = await source.head()
  expect(repository.dir.endsWith(name)).toBe(true)
  expect((await source.tree(sha)).map(({ path }) => path)).toEqual(['a.ts', 'sub/b.ts'])
})

test('a detached head has no branch', async () => {
  await using repository = await createRepository({ 'a.ts': 'a' })
  await repository.git('checkout', '--quiet', '--detach')
  expect((await createGitSource(repository.dir).head()).branch).toBeNull()
})

test('a path that is no UTF-8 keeps its bytes apart', async () => {
  await using repository = await createRepository({ 'a.ts': 'a' })
  const { dir } = repository
  await writeFile(Buffer.concat([Buffer.from(`${dir}/caf`), Buffer.of(0xe9)]), 'latin')
  await writeFile(Buffer.concat([Buffer.from(`${dir}/caf`), Buffer.of(0xe8)]), 'latin too')
  await repository.commit()
  const source = createGitSource(dir)
  const tree = await source.tree((await source.head()).sha)
  expect(tree.map(({ path, size }) => [path, size])).toEqual([
    ['a.ts', 1],
    ['caf\\xe8', 9],
    ['caf\\xe9', 5],
  ])
})

test('programs that a hostile configuration names are not run', async () => {
  await using repository = await createRepository({ 'a.ts': 'a', '.gitattributes': '*.ts linguist-generated\n' })
  const since = await repository.git('rev-parse', 'HEAD')
  await repository.write({ 'a.ts': 'changed' })
  await repository.commit()
  const marks = await createFolder()
  const program = join(marks, 'program')
  await writeFile(program, `#!/bin/sh\ntouch '${join(marks, 'ran')}'\n`, { mode: 0o755 })
  for (const key of ['core.fsmonitor', 'core.pager', 'core.sshCommand', 'core.editor', 'gpg.program', 'diff.external', 'filter.x.smudge', 'alias.ls-tree', 'uploadpack.packObjectsHook']) {
    await repository.git('config', key, program)
  }
  await repository.git('config', 'log.showSignature', 'true')
  await repository.git('config', 'remote.origin.url', `ext::${program}`)
  await repository.git('config', 'remote.origin.promisor', 'true')
  const hooks = join(repository.dir, '.git', 'hooks')
  await mkdir(hooks, { recursive: true })
  await writeFile(join(hooks, 'post-index-change'), `#!/bin/sh\n${program}\n`, { mode: 0o755 })

  const source = createGitSource(repository.dir)
  const { sha } = await source.head()
  const tree = await source.tree(sha)
  expect(await source.difference!(since, sha)).toMatchObject({ entries: [{ path: 'a.ts', generated: true }] })
  for await (const { bytes } of source.read(tree.map(({ blobSha }) => blobSha))) expect(bytes.length).toBeGreaterThan(0)
  const absent = source.read(['0'.repeat(39) + '1'])
  await expect(absent[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'missing-object' })
  expect(await readdir(marks)).toEqual(['program'])
})

test('the checkout itself stays untouched', async () => {
  await using repository = await createRepository({ 'a.ts': 'a', '.gitattributes': '*.ts linguist-generated\n' })
  const before = await readdir(join(repository.dir, '.git'))
  const source = createGitSource(repository.dir)
  const { sha } = await source.head()
  await source.tree(sha)
  await source.difference!(await repository.git('hash-object', '-t', 'tree', '/dev/null'), sha)
  expect(await readdir(join(repository.dir, '.git'))).toEqual(before)
  expect(await repository.git('status', '--porcelain')).toBe('')
})

describe('what a tree has otherwise than an earlier one, whatever its paths', () => {
  const names = ['a.ts', 'b.ts', ':(top)c.ts', 'sub/a.ts', 'sub/b.ts', 'sub/deep/a.ts', 'sub/deep/*.ts', 'a.ts/inside.ts', 'gén/x.ts', 'gén/y\n.ts']
  const tree = fc.dictionary(fc.constantFrom(...names), fc.record({ text: fc.constantFrom('', 'one', 'two', 'three\n'), isLink: fc.boolean() }), { noNullPrototype: true })

  /** A commit of these files, without a working tree: names may be what no file system takes. */
  async function commit({ git }: TestRepository, files: Record<string, { text: string; isLink: boolean }>): Promise<string> {
    const paths = Object.keys(files).filter((path) => !(path === 'a.ts' && 'a.ts/inside.ts' in files))
    await git('read-tree', '--empty')
    const entries = paths.map((path) => `${files[path]!.isLink ? '120000' : '100644'},${blobs.get(files[path]!.text)!},${path}`)
    await git('update-index', '--add', ...entries.flatMap((entry) => ['--cacheinfo', entry]))
    return git('commit-tree', '-m', 'Change', await git('write-tree'))
  }
  const blobs = new Map<string, string>()

  test('turns the one into the other, marks included', async () => {
    await using repository = await createRepository({ a: '', b: 'one', c: 'two', d: 'three\n' })
    for (const [name, text] of Object.entries({ a: '', b: 'one', c: 'two', d: 'three\n' })) blobs.set(text, await repository.git('rev-parse', `HEAD:${name}`))
    await repository.write({ marks: '*.ts linguist-vendored\n' })
    const marks = await repository.git('hash-object', '-w', 'marks')
    const source = createGitSource(repository.dir)
    const withMarks = async (sha: string) => {
      await repository.git('read-tree', sha)
      await repository.git('update-index', '--add', '--cacheinfo', `100644,${marks},sub/.gitattributes`)
      return repository.git('commit-tree', '-m', 'Marks', await repository.git('write-tree'))
    }
    await fc.assert(
      fc.asyncProperty(tree, tree, async (before, after) => {
        const [since, sha] = [await withMarks(await commit(repository, before)), await withMarks(await commit(repository, after))]
        expect(applyDifference(await source.tree(since), (await source.difference!(since, sha))!)).toEqual(inPathOrder(await source.tree(sha)))
      }),
      { numRuns: 15 },
    )
  })

  test.each([
    ['a path that is no UTF-8', async ({ dir, git, commit: save }: TestRepository) => {
      await writeFile(Buffer.concat([Buffer.from(`${dir}/caf`), Buffer.of(0xe9)]), 'latin')
      await save()
      return git('rev-parse', 'HEAD~1')
    }],
    ['more paths than a process takes', async ({ git, write, commit: save }: TestRepository) => {
      await write(Object.fromEntries(Array.from({ length: 800 }, (_, at) => [`${'long/'.repeat(30)}${at}.ts`, `${at}`])))
      await save()
      return git('rev-parse', 'HEAD~1')
    }],
  ])('cannot be told of %s', async (_, change) => {
    await using repository = await createRepository({ 'a.ts': 'a' })
    const since = await change(repository)
    const source = createGitSource(repository.dir)
    expect(await source.difference!(since, (await source.head()).sha)).toBeNull()
  })
})

describe('name and address', () => {
  test.each([
    ['https://github.com/probot/probot.git', 'probot/probot', 'https://github.com/probot/probot'],
    ['https://user:secret@github.com/probot/probot', 'probot/probot', 'https://github.com/probot/probot'],
    ['git@github.com:probot/probot.git', 'probot/probot', 'https://github.com/probot/probot'],
    ['ssh://git@github.example.com:2222/team/shop.git', 'team/shop', 'https://github.example.com/team/shop'],
    ['https://git.example.com:8443/team/shop/', 'team/shop', 'https://git.example.com:8443/team/shop'],
    ['git@gitlab.example.com:team/web/shop.git', 'team/web/shop', 'https://gitlab.example.com/team/web/shop'],
    ['git://github.com/probot/probot', 'probot/probot', 'https://github.com/probot/probot'],
  ])('%s', (remote, name, url) => {
    expect(fromGitRemote(remote)).toEqual({ name, url })
  })

  test.each(['/srv/git/shop.git', '../shop', 'file:///srv/shop', 'https://github.com/only', 'https://dev.azure.com/team/shop', 'https://github.com/a/b/c', 'C:\\work\\shop', '', 'javascript:alert(1)'])(
    '%s is no address',
    (remote) => {
      expect(fromGitRemote(remote)).toBeNull()
    },
  )

  test('come from the remote, else from the folder', async () => {
    await using repository = await createRepository({ 'a.ts': 'a' })
    const source = createGitSource(repository.dir)
    expect(await source.head()).toMatchObject({ url: null, name: repository.dir.split('/').at(-1) })
    await repository.git('remote', 'add', 'origin', 'git@github.com:acme/shop.git')
    expect(await source.head()).toMatchObject({ name: 'acme/shop', url: 'https://github.com/acme/shop' })
  })
})

describe('who committed to a file', () => {
  test('each person once, newest first, by name alone; no bots and no merges', async () => {
    await using repository = await createRepository({ 'src/a.ts': '1', 'src/b.ts': '1', 'src/*.ts': 'a name like a pattern' })
    let day = 1
    const commitAs = async (name: string, path: string) => {
      await repository.write({ [path]: `${name} ${day}` })
      await repository.git('add', '--all')
      const date = `2026-03-0${day++}T12:00:00Z`
      await repository.git('-c', `user.name=${name}`, '-c', 'user.email=private@example.com', 'commit', '--quiet', '--date', date, '--message', 'Change')
    }
    await commitAs('Ada', 'src/a.ts')
    await commitAs('Ben', 'src/a.ts')
    await commitAs('Ada', 'src/a.ts')
    await commitAs('dependabot[bot]', 'src/a.ts')
    await commitAs('Cleo', 'src/b.ts')
    const source = createGitSource(repository.dir)
    const { sha } = await source.head()
    const found = await source.committers!(['src/a.ts'], sha)
    expect(found.filter(({ name }) => name !== 'Test')).toEqual([
      { name: 'Ada', login: null, at: new Date('2026-03-03T12:00:00Z'), commits: 2 },
      { name: 'Ben', login: null, at: new Date('2026-03-02T12:00:00Z'), commits: 1 },
    ])
    expect(JSON.stringify(found)).not.toContain('example.com')
    expect((await source.committers!(['src/*.ts'], sha)).map(({ name }) => name)).toEqual(['Test'])
    expect((await createGitSource(join(repository.dir, 'src')).committers!(['src/b.ts'], sha)).map(({ name }) => name)).toContain('Cleo')
    expect(await source.committers!(['nowhere.ts', '--all'], sha)).toEqual([])
  })
})
