import { expect, test } from 'vitest'
import type { Source } from '../sources/source.ts'
import { applyDifference, inPathOrder } from './apply-difference.ts'
import type { TestRepository } from './create-repository.ts'

/** How a kind of source is put to the test: `open` makes it read what `repository` has committed. */
export type SourceFixture = { createRepository(files?: Record<string, string | Buffer>): Promise<TestRepository>; open(repository: TestRepository): Source }

/** The whole test of a kind of source: what it tells of a repository is what was committed, and nothing else. */
export function sourceContract({ createRepository, open }: SourceFixture): void {
  async function snapshot(repository: TestRepository) {
    const source = open(repository)
    const { sha } = await source.head()
    const tree = await source.tree(sha)
    const files = tree.filter(({ mode }) => mode.startsWith('100'))
    const contents: Record<string, string> = {}
    let next = 0
    for await (const { blobSha, bytes } of source.read(files.map((file) => file.blobSha))) {
      expect(blobSha).toBe(files[next]!.blobSha)
      contents[files[next++]!.path] = bytes.toString('latin1')
    }
    expect(next).toBe(files.length)
    return { sha, tree, contents }
  }

  test('the head names the last commit, its branch and its time', async () => {
    await using repository = await createRepository({ 'a.ts': 'a' })
    const head = await open(repository).head()
    expect(head.sha).toBe(await repository.git('rev-parse', 'HEAD'))
    expect(head.branch).toBe(await repository.git('branch', '--show-current'))
    expect(head.committedAt.getTime()).toBe(Number(await repository.git('log', '-1', '--format=%ct')) * 1000)
  })

  test('an added, an edited and a deleted file', async () => {
    await using repository = await createRepository({ 'a.ts': 'one', 'b.ts': 'two' })
    const before = await snapshot(repository)
    await repository.write({ 'a.ts': 'changed', 'c/d.ts': 'three' })
    await repository.remove('b.ts')
    await repository.commit()
    const after = await snapshot(repository)
    expect(before.contents).toEqual({ 'a.ts': 'one', 'b.ts': 'two' })
    expect(after.contents).toEqual({ 'a.ts': 'changed', 'c/d.ts': 'three' })
    expect(after.sha).not.toBe(before.sha)
  })

  test('what is not committed does not exist', async () => {
    await using repository = await createRepository({ 'a.ts': 'one' })
    await repository.write({ 'a.ts': 'edited', 'new.ts': 'new' })
    expect((await snapshot(repository)).contents).toEqual({ 'a.ts': 'one' })
  })

  test('a renamed file keeps its blob', async () => {
    await using repository = await createRepository({ 'src/a.ts': 'same', 'src/b.ts': 'other' })
    const before = await snapshot(repository)
    await repository.move('src', 'lib')
    await repository.commit()
    const after = await snapshot(repository)
    expect(after.tree.map(({ path }) => path)).toEqual(['lib/a.ts', 'lib/b.ts'])
    expect(after.tree.map(({ blobSha }) => blobSha)).toEqual(before.tree.map(({ blobSha }) => blobSha))
  })

  test('a changed mode changes the mode only', async () => {
    await using repository = await createRepository({ 'run.sh': 'echo' })
    await repository.setExecutable('run.sh')
    await repository.commit()
    const { tree } = await snapshot(repository)
    expect(tree).toMatchObject([{ path: 'run.sh', mode: '100755', size: 4 }])
  })

  test('symbolic links and submodules are told by their mode', async () => {
    await using repository = await createRepository({ 'a.ts': 'one' })
    await repository.link('link.ts', 'a.ts')
    const commit = await repository.git('rev-parse', 'HEAD')
    await repository.git('update-index', '--add', '--cacheinfo', `160000,${commit},module`)
    await repository.git('add', 'link.ts')
    await repository.git('commit', '--quiet', '--message', 'Link')
    const { tree } = await snapshot(repository)
    expect(tree.map(({ path, mode }) => [path, mode])).toEqual([
      ['a.ts', '100644'],
      ['link.ts', '120000'],
      ['module', '160000'],
    ])
    expect(tree[2]).toMatchObject({ blobSha: commit, size: null })
  })

  test('binary and empty content comes byte for byte', async () => {
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 7) % 256))
    await using repository = await createRepository({ 'a.bin': bytes, empty: '', 'line.txt': '\n' })
    expect((await snapshot(repository)).contents).toEqual({ 'a.bin': bytes.toString('latin1'), empty: '', 'line.txt': '\n' })
  })

  test('unusual paths come as they are', async () => {
    const paths = ['-rf', 'a b.ts', 'a\tb.ts', 'a\nb.ts', 'quo"te.ts', "it's.ts", '$HOME/x.ts', 'über/straße.md', '日本語.py', 'emoji-🦊.go', 'back\\slash.ts', ':colon', 'a;b&c|d.ts']
    await using repository = await createRepository(Object.fromEntries(paths.map((path) => [path, path])))
    const { contents } = await snapshot(repository)
    expect(Object.keys(contents).sort()).toEqual(paths.toSorted())
    for (const path of paths) expect(contents[path]).toBe(Buffer.from(path).toString('latin1'))
  })

  test('marks of the committed .gitattributes', async () => {
    await using repository = await createRepository({
      '.gitattributes': 'gen/** linguist-generated\nthird/* linguist-vendored=true\ngen/not.ts -linguist-generated\n',
      'gen/a.ts': '',
      'gen/not.ts': '',
      'third/b.ts': '',
      'sub/.gitattributes': '*.c linguist-generated=true\n',
      'sub/c.c': '',
      'd.ts': '',
    })
    await repository.write({ '.gitattributes': '* linguist-vendored\n' })
    const { tree } = await snapshot(repository)
    const marked = tree.filter(({ generated, vendored }) => generated || vendored)
    expect(marked.map(({ path, generated, vendored }) => [path, generated, vendored])).toEqual([
      ['gen/a.ts', true, false],
      ['sub/c.c', true, false],
      ['third/b.ts', false, true],
    ])
  })

  test('what differs from an earlier tree, and nothing else', async () => {
    await using repository = await createRepository({
      '.gitattributes': 'gen/** linguist-generated\n', 'a.ts': 'one', 'b.ts': 'two', 'gen/a.ts': '', 'gen/b.ts': '', 'sub/deep/.gitattributes': '*.c linguist-vendored\n',
      'sub/deep/c.ts': 'three', 'sub/other/d.ts': 'four', 'old/e.ts': 'five', 'old/f.ts': 'six', kind: 'a file', 'folder/g.ts': 'seven', 'same/h.ts': 'eight',
    })
    const before = await snapshot(repository)
    await repository.write({ 'b.ts': 'changed', 'gen/new.ts': '', 'sub/deep/new.c': '', 'new/deep/i.ts': 'nine' })
    await repository.remove('a.ts')
    await repository.move('old', 'moved')
    await repository.remove('kind')
    await repository.write({ 'kind/inside.ts': 'a folder now' })
    await repository.remove('folder')
    await repository.write({ folder: 'a file now' })
    await repository.setExecutable('same/h.ts')
    await repository.commit()
    const after = await snapshot(repository)
    const difference = (await open(repository).difference!(before.sha, after.sha))!
    expect(applyDifference(before.tree, difference)).toEqual(inPathOrder(after.tree))
    expect(difference.gone.toSorted()).toEqual(['a.ts', 'folder/g.ts', 'kind', 'old/e.ts', 'old/f.ts'])
    expect(difference.entries.map(({ path }) => path).toSorted()).toEqual(['b.ts', 'folder', 'gen/new.ts', 'kind/inside.ts', 'moved/e.ts', 'moved/f.ts', 'new/deep/i.ts', 'same/h.ts', 'sub/deep/new.c'])
    expect(await open(repository).difference!(after.sha, after.sha)).toEqual({ entries: [], gone: [] })
  })

  test('what differs from a tree that is not there, or in what is said of other files, cannot be told', async () => {
    await using repository = await createRepository({ 'a.ts': 'one', 'sub/b.ts': 'two' })
    const before = await snapshot(repository)
    await repository.write({ 'sub/.gitattributes': '*.ts linguist-generated\n' })
    await repository.commit()
    const { sha } = await snapshot(repository)
    for (const since of [before.sha, '1'.repeat(40)]) expect(await open(repository).difference!(since, sha)).toBeNull()
  })

  test('an older commit stays readable', async () => {
    await using repository = await createRepository({ 'a.ts': 'one' })
    const { sha } = await open(repository).head()
    await repository.write({ 'a.ts': 'two' })
    await repository.commit()
    expect(await open(repository).tree(sha)).toMatchObject([{ path: 'a.ts', size: 3 }])
  })

  test('a thousand files come in the order asked', async () => {
    const files = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`f/${index}.ts`, `${index}`.repeat(300)]))
    await using repository = await createRepository(files)
    expect((await snapshot(repository)).contents).toEqual(files)
  })

  test('a reader that stops early leaves nothing behind', async () => {
    await using repository = await createRepository({ 'a.ts': 'one', 'b.ts': 'two' })
    const source = open(repository)
    const tree = await source.tree((await source.head()).sha)
    for await (const { bytes } of source.read(tree.map(({ blobSha }) => blobSha))) {
      expect(bytes.toString()).toBe('one')
      break
    }
    expect((await snapshot(repository)).contents).toEqual({ 'a.ts': 'one', 'b.ts': 'two' })
  })

  test('an aborted read ends with the reason', async () => {
    await using repository = await createRepository({ 'a.ts': 'one' })
    const reason = new Error('enough')
    await expect(open(repository).head(AbortSignal.abort(reason))).rejects.toBe(reason)
  })

  test('an empty repository says so', async () => {
    await using repository = await createRepository()
    await expect(open(repository).head()).rejects.toMatchObject({ name: 'NuraError', code: 'empty-repository' })
  })
}
