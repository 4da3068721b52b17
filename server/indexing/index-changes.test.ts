import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { readCorpus } from '#db/tenant/corpus.ts'
import { readManifest } from '#db/tenant/manifest.ts'
import { addRepository, findRepository } from '#db/tenant/repositories.ts'
import { removeFiles } from '#db/tenant/write-files.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { createLog } from '../log.ts'
import { toEmbedders } from '../models/embedder.ts'
import type { Embedder } from '../models/embedder.ts'
import { lexicalEmbedder, lexicalEmbedders } from '../models/lexical.ts'
import { createGitSource } from '../sources/git.ts'
import type { Source } from '../sources/source.ts'
import { createRepository } from '../testing/create-repository.ts'
import type { TestRepository } from '../testing/create-repository.ts'
import { indexSource } from './index-changes.ts'
import type { IndexProgress } from './index-changes.ts'

const log = createLog({ level: 'silent', process: 'test' })
let db: Db
beforeAll(async () => {
  db = await openTestDb()
})
afterAll(() => db.close())

/** The lexical embedder, which counts what it is asked and fails when told to. */
function createCountingEmbedder() {
  const asked: string[] = []
  let failAfter = Infinity
  const embedder: Embedder = {
    ...lexicalEmbedder,
    async embed(texts, kind, signal) {
      if (asked.length >= failAfter) throw new Error('the model is away')
      asked.push(...texts)
      return lexicalEmbedder.embed(texts, kind, signal)
    },
  }
  return { embedder, asked, failAfter: (count: number) => void (failAfter = count) }
}

/** A git source that counts the blobs and the whole trees that it was asked for. */
function createCountingSource({ dir }: TestRepository) {
  const [read, trees]: [string[], string[]] = [[], []]
  const git = createGitSource(dir)
  const source: Source = {
    ...git,
    tree(sha, ...rest) {
      trees.push(sha)
      return git.tree(sha, ...rest)
    },
    read(shas, signal) {
      read.push(...shas)
      return createGitSource(dir).read(shas, signal)
    },
  }
  return { source, read, trees }
}

async function createIndex(tenant: TenantDb, repository: TestRepository) {
  const { id } = await addRepository(tenant, { name: repository.dir, source: 'git', location: repository.dir })
  const { source, read, trees } = createCountingSource(repository)
  const { embedder, asked, failAfter } = createCountingEmbedder()
  const run = async (options: { onProgress?: (progress: IndexProgress) => void; signal?: AbortSignal } = {}) => {
    asked.length = 0
    read.length = 0
    trees.length = 0
    const report = await indexSource({ embedders: toEmbedders([embedder]), log }, tenant, { id }, source, options)
    return { ...report, asked: asked.length, read: read.length, trees: trees.length }
  }
  return { id, run, asked, read, failAfter }
}

/** Everything the tenant holds as text, for canaries. */
async function dump(tenant: TenantDb): Promise<string> {
  return tenant.transaction(async (tx) => {
    const rows: unknown[] = []
    for (const table of ['file', 'knowledge_base', 'symbol', 'edge']) rows.push(await tx.query(`select to_jsonb(each) - 'embedding' - 'sparse' as row from ${table} as each`))
    return JSON.stringify(rows)
  })
}

async function livePaths(tenant: TenantDb): Promise<string[]> {
  const rows = await tenant.transaction((tx) => tx.query<{ path: string }>('select distinct source_path as path from knowledge_base where gone_at is null order by 1'))
  return rows.map(({ path }) => path)
}

async function importsOf(tenant: TenantDb, path: string): Promise<string[]> {
  const rows = await tenant.transaction((tx) =>
    tx.query<{ target: string }>(`select target from edge join file on file.id = file_id where path = $1 and kind = 'import'`, [path]),
  )
  return rows.map(({ target }) => target)
}

const functionOf = (name: string, lines = 8) => `/** Says what ${name} does. */\nexport function ${name}(input: Input): Output {\n${`  record('${name}', input)\n`.repeat(lines)}  return input\n}\n\n`
const moduleOf = (prefix: string, count: number) => Array.from({ length: count }, (_, at) => functionOf(`${prefix}${at}`, 3 + (at % 9))).join('')

describe('a repository and its index', () => {
  test('grow, change, move and shrink together', async () => {
    await using repository = await createRepository({
      'src/cart.ts': moduleOf('cart', 150),
      'src/till.ts': `import { cart1 } from './cart.ts'\n\n${moduleOf('till', 10)}`,
      'docs/guide.md': '# Guide\n\nHow to pay.\n',
      'config.yaml': 'port: 80\n',
      'package-lock.json': '{}',
      'logo.ts': Buffer.from([0x89, 0x50, 0, 1]),
      '.env': 'TOKEN=1\n',
    })
    const tenant = await createTestTenant(db)
    const index = await createIndex(tenant, repository)

    const first = await index.run()
    expect(first).toMatchObject({ files: 4, kept: 0, moved: 0, removed: 0, reused: 0, skipped: { 'lock-file': 1, binary: 1, 'secret-file': 1 } })
    expect(first.embedded).toBe(first.chunks)
    expect(first.asked).toBe(first.embedded)
    expect(first.read).toBe(5)
    expect(await findRepository(tenant, index.id)).toMatchObject({ indexedSha: first.sha, state: 'ready', defaultBranch: 'main' })
    expect((await readManifest(tenant, index.id)).get('logo.ts')).toMatchObject({ skipReason: 'binary' })

    const { indexVersion } = await readCorpus(tenant)
    expect(await index.run()).toMatchObject({ files: 0, kept: 4, chunks: 0, asked: 0, read: 0, skipped: { 'lock-file': 1, binary: 1, 'secret-file': 1 } })
    expect((await readCorpus(tenant)).indexVersion).toBe(indexVersion)

    const text = moduleOf('cart', 150)
    await repository.write({ 'src/cart.ts': text.replace("record('cart70', input)", 'audit(input)') })
    await repository.commit()
    const edited = await index.run()
    expect(edited).toMatchObject({ files: 1, read: 1 })
    expect(edited.asked).toBeGreaterThan(0)
    expect(edited.asked).toBeLessThanOrEqual(3)

    await repository.write({ 'src/cart.ts': text })
    await repository.commit()
    expect(await index.run()).toMatchObject({ files: 1, asked: 0, embedded: 0 })

    await repository.move('src', 'lib')
    await repository.commit()
    expect(await index.run()).toMatchObject({ moved: 2, files: 0, asked: 0, read: 0 })
    expect(await livePaths(tenant)).toEqual(['config.yaml', 'docs/guide.md', 'lib/cart.ts', 'lib/till.ts'])
    expect(await importsOf(tenant, 'lib/till.ts')).toEqual(['lib/cart'])

    await repository.remove('lib/cart.ts')
    await repository.setExecutable('lib/till.ts')
    await repository.commit()
    expect(await index.run()).toMatchObject({ removed: 1, files: 0, asked: 0, read: 0 })
    expect(await livePaths(tenant)).toEqual(['config.yaml', 'docs/guide.md', 'lib/till.ts'])
  })

  test('a second repository of the tenant with the same files embeds nothing, another tenant does', async () => {
    const files = { 'a.ts': moduleOf('shared', 20), 'b.md': '# B\n\nText.\n' }
    await using one = await createRepository(files)
    await using two = await createRepository(files)
    const [tenant, other] = [await createTestTenant(db), await createTestTenant(db)]
    const first = await (await createIndex(tenant, one)).run()
    expect(await (await createIndex(tenant, two)).run()).toMatchObject({ files: 2, asked: 0, reused: first.chunks })
    expect((await (await createIndex(other, two)).run()).asked).toBe(first.chunks)
  })

  test('the same text twice in one run is embedded once', async () => {
    await using repository = await createRepository({ 'a.ts': functionOf('same'), 'b.ts': functionOf('same') })
    expect(await (await createIndex(await createTestTenant(db), repository)).run()).toMatchObject({ chunks: 2, asked: 1, embedded: 1, reused: 1 })
  })

  test('a run that was cut short is taken up where it stopped', async () => {
    const files = Object.fromEntries(Array.from({ length: 150 }, (_, at) => [`src/${at}.ts`, functionOf(`step${at}`)]))
    await using repository = await createRepository(files)
    const tenant = await createTestTenant(db)
    const index = await createIndex(tenant, repository)
    index.failAfter(1)
    await expect(index.run()).rejects.toThrow('the model is away')
    const held = (await readManifest(tenant, index.id)).size
    expect(held).toBeGreaterThan(0)
    expect(held).toBeLessThan(150)
    expect((await findRepository(tenant, index.id))?.indexedSha).toBeNull()

    index.failAfter(Infinity)
    expect(await index.run()).toMatchObject({ kept: held, files: 150 - held, read: 150 - held, asked: 150 - held })
    expect((await livePaths(tenant)).length).toBe(150)
  })

  describe('a push', () => {
    const start = { 'src/cart.ts': functionOf('cart'), 'src/till.ts': functionOf('till'), 'docs/guide.md': '# Guide\n\nHow to pay.\n', 'old/gone.ts': functionOf('gone') }

    async function begin() {
      const repository = await createRepository(start)
      const tenant = await createTestTenant(db)
      const index = await createIndex(tenant, repository)
      expect(await index.run()).toMatchObject({ files: 4, trees: 1 })
      return { repository, tenant, index }
    }
    /** What the index holds, and what one that is made at once from the same tree would hold. */
    async function compare(tenant: TenantDb, id: string, repository: TestRepository) {
      const other = await createTestTenant(db)
      const fresh = await createIndex(other, repository)
      await fresh.run()
      expect(await readManifest(tenant, id)).toEqual(await readManifest(other, fresh.id))
      expect(await livePaths(tenant)).toEqual(await livePaths(other))
    }

    test('is met by what differs from the tree before it', async () => {
      const { repository, tenant, index } = await begin()
      await using _ = repository
      await repository.write({ 'src/cart.ts': functionOf('basket'), 'src/new.ts': functionOf('fresh'), '.env': 'TOKEN=1\n' })
      await repository.move('src/till.ts', 'lib/till.ts')
      await repository.remove('old')
      await repository.commit()
      expect(await index.run()).toMatchObject({ trees: 0, files: 2, moved: 1, removed: 1, kept: 0, read: 2, skipped: { 'secret-file': 1 } })
      await compare(tenant, index.id, repository)
      // Asked for once more, it looks at everything.
      expect(await index.run()).toMatchObject({ trees: 1, files: 0, kept: 4 })
    })

    test('that changes nothing which is indexed ends at its commit', async () => {
      const { repository, tenant, index } = await begin()
      await using _ = repository
      await repository.setExecutable('src/cart.ts')
      const sha = await repository.commit()
      expect(await index.run()).toMatchObject({ trees: 0, files: 0, read: 0 })
      expect((await findRepository(tenant, index.id))?.indexedSha).toBe(sha)
    })

    test('that says how other files are treated is met by the whole tree', async () => {
      const { repository, tenant, index } = await begin()
      await using _ = repository
      for (const [path, text] of Object.entries({ '.nura.yml': 'ignore: [old/**]\n', 'src/.gitattributes': 'till.ts linguist-generated\n', CODEOWNERS: '* @acme/shop\n' })) {
        await repository.write({ [path]: text })
        await repository.commit()
        expect(await index.run()).toMatchObject({ trees: 1 })
      }
      await repository.write({ 'old/more.ts': functionOf('more'), 'src/till.ts': functionOf('other'), 'src/cart.ts': functionOf('other') })
      await repository.commit()
      expect(await index.run()).toMatchObject({ trees: 0, files: 1, skipped: { ignored: 1, generated: 1 } })
      await compare(tenant, index.id, repository)
    })

    test('after a run that did not end, and to another commit than that run, is met by the whole tree', async () => {
      const { repository, tenant, index } = await begin()
      await using _ = repository
      await repository.remove('old')
      await repository.write({ 'src/cart.ts': functionOf('basket') })
      await repository.commit()
      index.failAfter(0)
      await expect(index.run()).rejects.toThrow('the model is away')
      expect((await livePaths(tenant)).includes('old/gone.ts')).toBe(false)
      index.failAfter(Infinity)
      await repository.git('checkout', '--quiet', 'HEAD~1', '--', '.')
      await repository.write({ 'src/new.ts': functionOf('fresh') })
      await repository.commit()
      expect(await index.run()).toMatchObject({ trees: 1 })
      await compare(tenant, index.id, repository)
    })

    test('after the index was made by other rules, or emptied, is met by the whole tree', async () => {
      const { repository, tenant, index } = await begin()
      await using _ = repository
      await tenant.transaction((tx) => tx.execute(`update repository set indexed_rules = 'others'`))
      await repository.write({ 'src/new.ts': functionOf('fresh') })
      await repository.commit()
      expect(await index.run()).toMatchObject({ trees: 1, files: 1 })
      // Somebody began to forget the repository, and took it back.
      await removeFiles(tenant, index.id, await livePaths(tenant))
      await repository.write({ 'src/new.ts': functionOf('fresher') })
      await repository.commit()
      expect(await index.run()).toMatchObject({ trees: 1, files: 5 })
      await compare(tenant, index.id, repository)
    })

    test('over a history that is rewritten and thrown away is met by the whole tree', async () => {
      const { repository, tenant, index } = await begin()
      await using _ = repository
      await repository.write({ 'src/cart.ts': functionOf('basket') })
      await repository.git('commit', '--quiet', '--all', '--amend', '--message', 'Again')
      await repository.git('reflog', 'expire', '--expire=now', '--all')
      await repository.git('gc', '--quiet', '--prune=now')
      expect(await index.run()).toMatchObject({ trees: 1, files: 1 })
      await compare(tenant, index.id, repository)
    })
  })

  test('an aborted run ends with the reason', async () => {
    await using repository = await createRepository(Object.fromEntries(Array.from({ length: 150 }, (_, at) => [`${at}.ts`, functionOf(`step${at}`)])))
    const index = await createIndex(await createTestTenant(db), repository)
    const abort = new AbortController()
    const reason = new Error('enough')
    await expect(index.run({ signal: abort.signal, onProgress: ({ done }) => done > 0 && abort.abort(reason) })).rejects.toBe(reason)
  })

  test('progress is told to the end without a flood', async () => {
    await using repository = await createRepository(Object.fromEntries(Array.from({ length: 400 }, (_, at) => [`${at}.txt`, `${at}\n`])))
    const events: IndexProgress[] = []
    await (await createIndex(await createTestTenant(db), repository)).run({ onProgress: (progress) => events.push(progress) })
    const files = events.filter(({ phase }) => phase === 'files')
    expect(files.at(-1)).toMatchObject({ done: 400, total: 400 })
    expect(files.map(({ done }) => done)).toEqual(files.map(({ done }) => done).toSorted((a, b) => a - b))
    expect(events.length).toBeLessThan(210)
    expect(events.at(-1)).toEqual({ phase: 'vector index', done: 1, total: 1 })
  })

  test('a repository that is no longer connected', async () => {
    await using repository = await createRepository({ 'a.ts': '' })
    const run = indexSource({ embedders: lexicalEmbedders, log }, await createTestTenant(db), { id: crypto.randomUUID() }, createGitSource(repository.dir))
    await expect(run).rejects.toMatchObject({ code: 'unknown-repository' })
  })
})

test('a secret in a file never reaches a row', async () => {
  const secret = ['ghp', 'q7Rk2Zt9Wm4Xc8Vb1Np6Ls3Jd5Hf0Gy7Ta2E'].join('_')
  await using repository = await createRepository({
    'a.ts': `// secretlint-disable\n/** Uses ${secret}. */\nexport const ${secret} = '${secret}'\nconnect(${secret})\n`,
    'b.md': `# ${secret}\n\nSee \`${secret}\`.\n`,
    'c.yaml': `token: ${secret}\n`,
  })
  const tenant = await createTestTenant(db)
  const report = await (await createIndex(tenant, repository)).run()
  expect(report.redacted['GitHub']).toBeGreaterThanOrEqual(6)
  const rows = await dump(tenant)
  expect(rows).toContain('[redacted:GitHub]')
  expect(rows.toLowerCase()).not.toContain(secret.toLowerCase())
})

test('paths longer than the store can index are told apart, counted and removed, and hold nothing else up', async () => {
  await using repository = await createRepository({ 'a.ts': functionOf('short') })
  const tenant = await createTestTenant(db)
  const index = await createIndex(tenant, repository)
  const folder = randomBytes(2400).toString('base64url')
  const blob = await repository.git('rev-parse', 'HEAD:a.ts')
  for (const name of ['one.ts', 'other.ts', '.gitattributes']) await repository.git('update-index', '--add', '--cacheinfo', `100644,${blob},${folder}/${name}`)
  await repository.git('commit', '--quiet', '--message', 'Add long paths')
  expect(await index.run()).toMatchObject({ files: 1, skipped: { 'path-too-long': 3 } })
  await repository.git('rm', '--quiet', '--cached', '--', `${folder}/one.ts`)
  await repository.git('commit', '--quiet', '--message', 'Remove one')
  expect(await index.run()).toMatchObject({ trees: 0, removed: 1 })
  expect([...(await readManifest(tenant, index.id)).values()].map(({ skipReason }) => skipReason).toSorted()).toEqual([null, 'path-too-long', 'path-too-long'])
})

test('what is written can be cited: chunks hold their lines at the commit', async () => {
  const text = `${moduleOf('cite', 40)}`
  await using repository = await createRepository({ 'src/a.ts': text })
  const tenant = await createTestTenant(db)
  await (await createIndex(tenant, repository)).run()
  const rows = await tenant.transaction((tx) =>
    tx.query<{ content: string; start: number; end: number }>('select content, start_line as start, end_line as "end" from knowledge_base order by ordinal'),
  )
  expect(rows.map(({ content }) => content).join('')).toBe(text)
  const lines = text.split(/(?<=\n)/)
  for (const { content, start, end } of rows) expect(content).toBe(lines.slice(start - 1, end).join(''))
})
