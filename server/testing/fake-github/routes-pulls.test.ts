import type { Octokit } from 'octokit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createOctokitApp, statusOf } from './create-octokit-app.ts'
import type { FakeRepository } from './fake-repository.ts'
import { startFakeGithub } from './start-fake-github.ts'
import type { FakeGithub } from './start-fake-github.ts'

let github: FakeGithub
let octokit: Octokit
let repository: FakeRepository
const at = { owner: 'acme', repo: 'shop' }

beforeAll(async () => {
  github = await startFakeGithub()
  const installation = await github.addInstallation({ account: 'acme', accountType: 'Organization' })
  octokit = await createOctokitApp(github).getInstallationOctokit(installation.id)
  repository = await github.addRepository({
    installation,
    name: 'shop',
    files: { 'src/cart.ts': 'export const cart = 1\n', 'README.md': '# Shop\n' },
  })
})
afterAll(() => github.close())

test('a pull request of a fork: its commits are here, its branch is not', async () => {
  const pull = await repository.openPull({
    branch: 'fix',
    from: 'mallory',
    files: { 'src/cart.ts': 'export const cart = 2\n' },
    title: 'Fix',
    labels: ['nura:skip'],
    draft: true,
  })
  const first = pull.pull.head.sha
  const second = await pull.push({ 'src/more.ts': 'more\n' }, 'More')
  const { data } = await octokit.rest.pulls.get({ ...at, pull_number: pull.number })
  expect(data).toMatchObject({
    draft: true,
    commits: 2,
    changed_files: 2,
    user: { login: 'mallory' },
    author_association: 'NONE',
    labels: [{ name: 'nura:skip' }],
  })
  expect(data.head).toMatchObject({ sha: second, label: 'mallory:fix', repo: { full_name: 'mallory/shop', fork: true } })
  expect((await octokit.rest.git.getCommit({ ...at, commit_sha: second })).data.parents).toMatchObject([{ sha: first }])
  expect(await statusOf(octokit.rest.git.getRef({ ...at, ref: 'heads/fix' }))).toBe(404)
  expect(await statusOf(octokit.rest.repos.get({ owner: 'mallory', repo: 'shop' }))).toBe(404)
  expect((await octokit.rest.pulls.listCommits({ ...at, pull_number: pull.number })).data.map(({ sha }) => sha)).toEqual([
    first,
    second,
  ])
})

test('a fork keeps up with a base that moved on', async () => {
  await repository.openPull({ branch: 'early', from: 'oscar', files: { 'early.ts': 'x\n' } })
  await repository.commit({ 'moved.ts': 'x\n' })
  const late = await repository.openPull({ branch: 'late', from: 'oscar', files: { 'late.ts': 'x\n' } })
  const { data } = await octokit.rest.pulls.listFiles({ ...at, pull_number: late.number })
  expect(data.map(({ filename }) => filename)).toEqual(['late.ts'])
})

test('its files are those since it left the base, however the base moved on', async () => {
  const pull = await repository.openPull({
    branch: 'feature',
    files: { 'src/new.ts': 'a\nb\n', 'README.md': null },
    author: 'alice',
  })
  await repository.commit({ 'src/base.ts': 'moved on\n' })
  const list = async () =>
    (await octokit.rest.pulls.listFiles({ ...at, pull_number: pull.number })).data.map(
      ({ filename, status, additions, deletions, patch }) => [filename, status, additions, deletions, patch],
    )
  expect(await list()).toEqual([
    ['README.md', 'removed', 0, 1, '@@ -1 +0,0 @@\n-# Shop'],
    ['src/new.ts', 'added', 2, 0, '@@ -0,0 +1,2 @@\n+a\n+b'],
  ])
  pull.pull.collapsed.add('src/new.ts')
  expect((await list())[1]).toEqual(['src/new.ts', 'added', 0, 0, undefined])
  await pull.forcePush({ 'src/other.ts': 'c\n' })
  expect((await list()).map(([name]) => name)).toEqual(['src/other.ts'])
})

test('a diff is refused over 300 files and over 20,000 lines; the list of files goes on', async () => {
  const many = Object.fromEntries(
    Array.from({ length: 320 }, (_, at) => [`many/${String(at).padStart(4, '0')}.ts`, `export const n = ${at}\n`]),
  )
  const wide = await repository.openPull({ branch: 'wide', files: many })
  const long = await repository.openPull({ branch: 'long', files: { 'long.ts': 'line\n'.repeat(20_001) } })
  const small = await repository.openPull({ branch: 'small', files: { 'small.ts': 'x\n' } })
  const diff = (number: number) => octokit.rest.pulls.get({ ...at, pull_number: number, mediaType: { format: 'diff' } })
  expect([await statusOf(diff(wide.number)), await statusOf(diff(long.number))]).toEqual([406, 406])
  expect(String((await diff(small.number)).data)).toMatch(/^diff --git a\/small.ts b\/small.ts\n[^]*\+x\n$/)
  expect(await octokit.paginate(octokit.rest.pulls.listFiles, { ...at, pull_number: wide.number, per_page: 100 })).toHaveLength(
    320,
  )
  const [file] = (await octokit.rest.pulls.listFiles({ ...at, pull_number: long.number })).data
  expect([file!.patch, file!.additions]).toEqual([undefined, 20_001])
})

test('binary files and changes of type have no patch or their own', async () => {
  const pull = await repository.openPull({
    branch: 'odd',
    files: {
      'a-link': { mode: '120000', content: 'README.md' },
      'b.bin': Buffer.from([0, 1, 2, 255]),
      'src/cart.ts': { mode: '120000', content: '../x' },
      'z.ts': 'z\n',
    },
  })
  const { data } = await octokit.rest.pulls.listFiles({ ...at, pull_number: pull.number })
  expect(
    data.map(({ filename, status, patch }) => [filename, status, patch === undefined ? null : patch.split('\n')[1]]),
  ).toEqual([
    ['a-link', 'added', '+README.md'],
    ['b.bin', 'added', null],
    ['src/cart.ts', 'changed', '-export const cart = 1'],
    ['z.ts', 'added', '+z'],
  ])
})

test('a pull request is an issue, and closes like one', async () => {
  const pull = await repository.openPull({ branch: 'closing', files: { 'closing.ts': 'x\n' }, author: 'alice' })
  const issue = await repository.openIssue({ title: 'Why?', body: 'Because', author: 'bob' })
  const read = async (number: number) => (await octokit.rest.issues.get({ ...at, issue_number: number })).data
  expect((await read(pull.number)).pull_request?.url).toBe(`${github.url}/repos/acme/shop/pulls/${pull.number}`)
  expect(await read(issue.number)).toMatchObject({ title: 'Why?', body: 'Because', user: { login: 'bob' } })
  expect((await read(issue.number)).pull_request).toBeUndefined()
  expect(await statusOf(octokit.rest.pulls.get({ ...at, pull_number: issue.number }))).toBe(404)
  await pull.merge()
  expect((await octokit.rest.pulls.get({ ...at, pull_number: pull.number })).data).toMatchObject({
    state: 'closed',
    merged: true,
  })
  expect((await octokit.rest.pulls.list({ ...at, state: 'open' })).data.map(({ number }) => number)).not.toContain(pull.number)
  expect(await repository.git('show', 'main:closing.ts')).toBe('x')
})

test('a pull request follows its branches: to another base, and to its end', async () => {
  const before = await repository.git('rev-parse', 'main')
  await repository.commit({ 'release.ts': 'x\n' }, { branch: 'release', parent: before })
  const pull = await repository.openPull({ branch: 'both', base: 'main', files: { 'both.ts': 'x\n' } })
  await repository.commit({ 'later.ts': 'x\n' }, { branch: 'both' })
  await pull.retarget('release')
  const read = async () => (await octokit.rest.pulls.get({ ...at, pull_number: pull.number })).data
  expect(await read()).toMatchObject({ base: { ref: 'release' }, commits: 2, changed_files: 2, state: 'open' })
  await repository.setRef('refs/heads/both', null)
  expect(await read()).toMatchObject({ state: 'closed', merged: false })
})
