import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { zeros } from '#server/testing/fake-github/payloads.ts'
import type { FakeRepository } from '#server/testing/fake-github/fake-repository.ts'
import type { Installation } from '#server/testing/fake-github/world.ts'
import { startGithubDeployment } from '../testing/start-github-deployment.ts'
import type { GithubDeployment, ShownRepository } from '../testing/start-github-deployment.ts'
import { until } from '../testing/until.ts'

/** Whole processes start and are waited for here, on machines that do other things too. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

/** The index follows GitHub: what is pushed, moved, taken away and given back, seen through the API of the running processes. */
let nura: GithubDeployment
let ours: Installation
let theirs: Installation
let shop: FakeRepository
let twin: FakeRepository
let rules: FakeRepository
let empty: FakeRepository

const moved = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`src/part-${at}.ts`, `export const part${at} = () => 'number ${at}'\n`]))
const functions = Array.from({ length: 220 }, (_, at) => `/** Step ${at} of the pipeline. */\nexport function step${at}(input: number): number {\n  const weighted = input * ${at + 1}\n  if (weighted > 1000) return weighted - ${at}\n  return weighted + ${at}\n}\n\n`)

beforeAll(async () => {
  nura = await startGithubDeployment({
    tenants: { acme: 'acme', globex: 'globex' },
    async prepare(github) {
      ours = await github.addInstallation({ account: 'acme' })
      theirs = await github.addInstallation({ account: 'globex' })
      const files = { 'README.md': '# Shop\n', 'lib/pay.ts': 'export function chargeCardholder() {\n  return 1\n}\n', 'lib/long.ts': functions.join('') }
      shop = await github.addRepository({ installation: ours, name: 'shop', private: true, files })
      twin = await github.addRepository({ installation: theirs, owner: 'globex', name: 'shop', private: true, files: { 'lib/pay.ts': 'export function chargeCardholder() {\n  return 1\n}\n' } })
      empty = await github.addRepository({ installation: ours, name: 'empty', private: true })
      rules = await github.addRepository({ installation: ours, name: 'rules', private: true, files: oddFiles })
    },
  })
  nura.github.deliveries.auto = true
  await shown('acme/shop', await head(shop))
  await shown('acme/rules', await head(rules))
  await nura.indexed('globex/shop', await head(twin), 'globex')
  // What happened in the repositories is read beside, and would count as calls of the first push.
  await nura.settled()
})
afterAll(() => nura?.close())

const oddFiles = {
  '.gitattributes': 'gen/** linguist-generated\n',
  'picture.ts': Buffer.from([0x89, 0x50, 0, 1, 2, 3]),
  'big.md': 'word '.repeat(1_200_000),
  'app.min.js': 'var a=1;'.repeat(20),
  'package-lock.json': '{}',
  'vendor/lib.ts': 'export const vendored = 1\n',
  'gen/client.ts': 'export const made = 1\n',
  'link.ts': { mode: '120000' as const, content: 'config.yaml' },
  module: { mode: '160000' as const, content: 'a'.repeat(40) },
  'weights.txt': 'version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 12\n',
  '.env': 'TOKEN=1\n',
  id_rsa: '-----BEGIN\n',
  'config.yaml': 'retries: 3\nbackoffSeconds: 9\n',
  'settings.toml': '[retry]\nlimit = 3\n',
  'tsconfig.json': '{ "strict": true }\n',
}

const head = (repository: FakeRepository, ref = 'HEAD') => repository.git('rev-parse', ref)
const shown = (name: string, sha: string) => nura.indexed(name, sha, 'acme')
const find = (question: string, tenant = 'acme') => nura.search(question, { tenant })
const paths = async (question: string, tenant = 'acme') => (await find(question, tenant)).map(({ repository, path }) => `${repository}:${path}`)
const embedded = () => nura.counter('nura_embedded_chunks_total')
const named = async (name: string, tenant = 'acme') => (await nura.repositories(tenant)).find((each) => each.name === name)
const blobCalls = () => nura.github.callsTo('GET', /\/git\/blobs\/|\/tarball/).length

/** Pushes, waits for the index, and tells what that cost. */
async function push(change: () => Promise<string>): Promise<{ sha: string; embedded: number; calls: number; blobs: number }> {
  const before = { embedded: await embedded(), calls: nura.github.calls.length, blobs: blobCalls() }
  const sha = await change()
  await shown('acme/shop', sha)
  await nura.settled()
  return { sha, embedded: (await embedded()) - before.embedded, calls: nura.github.calls.length - before.calls, blobs: blobCalls() - before.blobs }
}

test('a one-file push is searchable at its commit, embeds what is new, and takes at most five calls', async () => {
  const cost = await push(() => shop.commit({ 'lib/refund.ts': 'export function refundEverything() {\n  return 2\n}\n' }))
  const [passage] = await find('refundEverything')
  expect(passage).toMatchObject({ repository: 'acme/shop', path: 'lib/refund.ts', sha: cost.sha })
  expect(cost.embedded).toBe(1)
  expect(cost.calls).toBeLessThanOrEqual(5)
})

test('one function of a long file costs its own chunks; lines that shift, and a revert, cost none', async () => {
  const edited = functions.map((text, at) => (at === 100 ? text.replace('return weighted + 100', 'return weighted + 100_000') : text))
  const edit = await push(() => shop.commit({ 'lib/long.ts': edited.join('') }))
  expect(edit.embedded).toBeGreaterThan(0)
  expect(edit.embedded).toBeLessThanOrEqual(3)
  const shift = await push(() => shop.commit({ 'lib/refund.ts': '\n\n\nexport function refundEverything() {\n  return 2\n}\n' }))
  expect(shift.embedded).toBe(0)
  expect((await find('refundEverything'))[0]).toMatchObject({ path: 'lib/refund.ts', sha: shift.sha })
  const revert = await push(() => shop.commit({ 'lib/long.ts': functions.join('') }))
  expect(revert.embedded).toBe(0)
})

test('the same file in a second repository of the tenant costs nothing, and in another tenant it is nobody else’s', async () => {
  const before = await embedded()
  const copy = await nura.github.addRepository({ installation: ours, name: 'copy', private: true, files: { 'lib/pay.ts': 'export function chargeCardholder() {\n  return 1\n}\n' } })
  await shown('acme/copy', await head(copy))
  expect((await embedded()) - before).toBe(0)
  expect((await paths('chargeCardholder')).slice(0, 2).sort()).toEqual(['acme/copy:lib/pay.ts', 'acme/shop:lib/pay.ts'])
  expect((await paths('chargeCardholder')).filter((path) => !path.startsWith('acme/'))).toEqual([])
  expect(await paths('chargeCardholder', 'globex')).toEqual(['globex/shop:lib/pay.ts'])
})

test('a folder that is renamed costs no embedding and no download, and is cited by its new path', async () => {
  await push(() => shop.commit(moved))
  const cost = await push(() => shop.commit({}, { moves: [['src', 'library']], message: 'Rename' }))
  expect(cost).toMatchObject({ embedded: 0, blobs: 0 })
  expect((await find('part123'))[0]).toMatchObject({ path: 'library/part-123.ts', sha: cost.sha })
  expect((await paths('part123')).filter((path) => path.includes(':src/'))).toEqual([])
})

test('a forced push leaves nothing of what it took away', async () => {
  const before = await head(shop)
  await push(() => shop.commit({ 'only_on_old.ts': 'export function existsOnlyOnTheOldLine() {}\n' }))
  expect(await paths('existsOnlyOnTheOldLine')).toContain('acme/shop:only_on_old.ts')
  await shop.forcePush('main', before)
  await shown('acme/shop', before)
  expect(await paths('existsOnlyOnTheOldLine')).not.toContain('acme/shop:only_on_old.ts')
})

test('tags, other branches and deleted refs change nothing; a branch pushed anew is read as it is', async () => {
  const sha = await head(shop)
  const before = await named('acme/shop')
  await shop.setRef('refs/tags/v1', sha)
  await shop.setRef('refs/heads/other', sha)
  await shop.setRef('refs/heads/other', null)
  const { payloads, event } = nura.github
  expect(await nura.deliver(event('push', await payloads.push(shop, { ref: 'refs/heads/main', before: zeros, after: sha })))).toBe(202)
  await nura.settled()
  expect(await named('acme/shop')).toEqual(before)
})

test('a tree that GitHub cuts short is walked folder by folder', async () => {
  nura.github.fail({ method: 'GET', path: /\/git\/trees\// }, { kind: 'truncated', entries: 5 })
  const { sha } = await push(() => shop.commit({ 'deep/down/here.ts': 'export function foundByWalking() {}\n' }))
  expect((await find('foundByWalking'))[0]).toMatchObject({ path: 'deep/down/here.ts', sha })
  expect((await find('part299'))[0]).toMatchObject({ path: 'library/part-299.ts' })
})

test('an empty repository waits for its first commit', async () => {
  expect((await named('acme/empty'))!.error).toMatch(/commit/i)
  const sha = await empty.commit({ 'first.ts': 'export function firstOfAll() {}\n' })
  await shown('acme/empty', sha)
  expect(await paths('firstOfAll')).toContain('acme/empty:first.ts')
})

test('what no person wrote is left out with a reason, and configuration is read', async () => {
  const { skipped } = (await named('acme/rules'))!
  expect(skipped).toEqual({ binary: 1, 'too-large': 1, minified: 1, 'lock-file': 1, vendored: 1, generated: 1, symlink: 1, submodule: 1, 'lfs-pointer': 1, 'secret-file': 2 })
  for (const [question, path] of [['backoffSeconds', 'config.yaml'], ['retry limit', 'settings.toml'], ['strict', 'tsconfig.json']] as const) {
    expect(await paths(question)).toContain(`acme/rules:${path}`)
  }
})

test('whatever a file is like, its pieces together are the file, and cut the same way again', async () => {
  const lines = (text: string) => Array.from({ length: 60 }, (_, at) => `${text} wholeness${at}`)
  const odd: Record<string, string> = {
    'odd/arrows.ts': lines('export const arrow').map((line, at) => `${line.split(' ').slice(0, 2).join(' ')}${at} = () => 'odditywhole ${at}'`).join('\n') + '\n',
    'odd/methods.py': `class OddityWhole:\n${lines('').map((_, at) => `    def odditywhole_${at}(self):\n        return ${at}\n`).join('\n')}`,
    'odd/comment.go': `package odditywhole\n\n/*\n${'odditywhole is said in a long comment. '.repeat(140)}\n*/\nfunc OddityWhole() {}\n`,
    'odd/broken.ts': lines('export function odditywhole(').join(' {{{ \n'),
    'odd/windows.rb': lines('# odditywhole').join('\r\n'),
  }
  const pieces = async () => {
    const found = (await nura.search('odditywhole', { tenant: 'acme', repository: 'acme/copy', limit: 50 })).filter(({ path }) => path.startsWith('odd/'))
    return Object.groupBy(found.toSorted((a, b) => a.startLine - b.startLine), ({ path }) => path)
  }
  const copy = [...nura.github.world.repositories.values()].find(({ name }) => name === 'copy') as FakeRepository
  await shown('acme/copy', await copy.commit(odd))
  const first = await pieces()
  for (const [path, text] of Object.entries(odd)) expect(first[path]?.map(({ content }) => content).join(''), path).toBe(text)
  await shown('acme/copy', await copy.commit(Object.fromEntries(Object.keys(odd).map((path) => [path, null]))))
  await shown('acme/copy', await copy.commit(odd))
  const places = (of: typeof first) => Object.values(of).flatMap((each) => each!.map(({ path, startLine, endLine }) => [path, startLine, endLine]))
  expect(places(await pieces())).toEqual(places(first))
})

test('a renamed repository keeps its identity and embeds nothing', async () => {
  const [before, cost] = [await named('acme/rules'), await embedded()]
  await rules.rename('guidelines')
  const after = await until('the new name', () => named('acme/guidelines'))
  expect(after).toMatchObject({ id: before!.id, indexedSha: before!.indexedSha, chunks: before!.chunks } satisfies Partial<ShownRepository>)
  expect(await paths('backoffSeconds')).toContain('acme/guidelines:config.yaml')
  await nura.settled()
  expect((await embedded()) - cost).toBe(0)
})

test('what becomes private is closed to the public at once; a widening is believed from GitHub alone', async () => {
  const open = await nura.github.addRepository({ installation: ours, name: 'open', files: { 'a.ts': 'export function publiclyKnown() {}\n' } })
  await shown('acme/open', await head(open))
  const seen = () => nura.search('publiclyKnown', { tenant: 'acme', audience: { kind: 'public' } })
  expect(await seen()).toHaveLength(1)
  await open.setPrivate(true)
  await until('nothing for the public', async () => (await seen()).length === 0)
  // A late delivery of the earlier state: GitHub is asked, and says otherwise.
  const { event, payloads } = nura.github
  const late = payloads.repository('publicized', open) as { repository: { private: boolean } }
  expect(await nura.deliver(event('repository', { ...late, repository: { ...late.repository, private: false } }))).toBe(202)
  await nura.settled()
  expect(await seen()).toHaveLength(0)
})

test('a delivery that names one installation and the repository of another is refused', async () => {
  const { event, payloads } = nura.github
  const before = await nura.repositories('globex')
  const forged = { ...(await payloads.push(twin, { ref: 'refs/heads/main', before: zeros, after: await head(twin) })), installation: { id: ours.id, node_id: 'x' } }
  const deleted = { ...payloads.repository('deleted', twin), installation: { id: ours.id, node_id: 'x' } }
  for (const payload of [forged, deleted]) expect(await nura.deliver(event('repository' in payload && 'ref' in payload ? 'push' : 'repository', payload))).toBe(202)
  await until('the refusals', () => nura.output().split('refused:not-yours').length > 2)
  expect(await nura.repositories('globex')).toEqual(before)
})

test('suspended, it is not called; what is taken away answers nothing at once, and uninstalling forgets everything', async () => {
  const callsOf = (installation: Installation) => nura.github.calls.filter((call) => call.installation === installation.id).length
  await nura.github.removeFrom(ours, empty)
  await until('no answer from what was removed', async () => !(await paths('firstOfAll')).some((path) => path.startsWith('acme/empty')))
  await until('its row to go', async () => (await named('acme/empty')) === undefined)

  await nura.settled()
  await nura.github.suspend(ours)
  await until('the suspension', () => nura.output().includes('noted:suspended'))
  const calls = callsOf(ours)
  await shop.commit({ 'unseen.ts': 'export function unseen() {}\n' })
  await nura.settled()
  expect(callsOf(ours)).toBe(calls)

  await nura.github.uninstall(ours)
  await until('everything to be forgotten', async () => (await nura.repositories('acme')).filter(({ name }) => name.startsWith('acme/')).length === 0)
  expect(await find('chargeCardholder')).toEqual([])
  expect(callsOf(ours)).toBe(calls)
  expect(await paths('chargeCardholder', 'globex')).toEqual(['globex/shop:lib/pay.ts'])
})

test('nothing was asked of GitHub that it does not offer', () => {
  expect(nura.github.unknown.map(({ method, path }) => `${method} ${path}`)).toEqual([])
})
