import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRepository, type TestRepository } from '#server/testing/create-repository.ts'
import { land } from '../testing/land.ts'
import { checkDays } from './check-days.ts'
import { readHistory, toLabels } from './read-history.ts'

const parts = [{ name: 'shop' }, { name: 'shop-docs', folder: 'docs/' }]
const at = (time: string) => Date.parse(time) / 1000
let repository: TestRepository

beforeAll(async () => {
  repository = await createRepository()
  await commit('Ada Lovelace', ['2020-01-01T10:00:00Z', '2020-01-02T10:00:00Z'], { 'src/a.c': '1' }, 'Begin')
  await commit('Ada Lovelace', ['2020-01-03T10:00:00Z', '2020-01-09T10:00:00Z'], { 'src/a.c': '2' }, 'win,fs: fix a crash\n\nFixes: https://github.com/acme/shop/issues/7\nPR-URL: https://github.com/acme/shop/pull/12\nReviewed-By: Grace Hopper <grace@example.com>\nReviewed-By: Łukasz <lukasz@example.com>')
  await commit('Ada Lovelace', ['2020-01-04T10:00:00Z', '2020-01-09T10:00:05Z'], { 'test/a.c': '2' }, 'test: cover it\n\nPR-URL: https://github.com/acme/shop/pull/12\nReviewed-By: Grace Hopper <grace@example.com>')
  await commit('grace', ['2020-02-01T00:00:00Z', '2020-01-31T23:30:00Z'], { 'docs/a.md': '1' }, 'doc: tell more (#14)', 'grace@example.com')
  await commit('renovate[bot]', ['2020-02-02T00:00:00Z', '2020-02-03T00:00:00Z'], { 'src/b.c': '1', 'docs/b.md': '1' }, 'Update all\n\nPR-URL: https://github.com/other/place/pull/99\nFixes: https://github.com/other/place/issues/3')
  await commit('Ada Lovelace', ['2020-02-04T00:00:00Z', '2020-02-05T00:00:00Z'], { 'src/b.c': '2' }, 'unix: use less (#20)\n\nFixes: #7\nFixes: #14\nReviewed-By: Ada Lovelace <ada-lovelace@example.com>')
  await repository.git('tag', 'v1.0.0')
  await repository.git('tag', 'before-the-move')
})
afterAll(() => repository[Symbol.asyncDispose]())

const commit = (author: string, [authored, committed]: [string, string], files: Record<string, string>, message: string, email?: string) => land(repository, { author, authored, committed, files, message, ...(email ? { email } : {}) })

test('commits that name a pull request are one, from its first line to its last landing', async () => {
  const { pulls } = await readHistory(repository.dir, parts, new Date(0))
  expect(pulls.map(({ commits, ...pull }) => ({ ...pull, commits: commits.length }))).toEqual([
    {
      number: 12, repository: 'shop', title: 'win,fs: fix a crash', author: 'ada-lovelace', labels: ['fs', 'test', 'win'],
      openedAt: at('2020-01-03T10:00:00Z'), mergedAt: at('2020-01-09T10:00:05Z'), commits: 2,
      // grace is who committed with that address.
      reviews: [{ author: 'grace', at: at('2020-01-05T10:00:01Z') }, { author: 'ukasz', at: at('2020-01-07T10:00:03Z') }],
    },
    // A clock that was ahead opens nothing after it was merged.
    { number: 14, repository: 'shop-docs', title: 'doc: tell more', author: 'grace', labels: ['doc'], openedAt: at('2020-01-31T23:30:00Z'), mergedAt: at('2020-01-31T23:30:00Z'), reviews: [], commits: 1 },
    // Nobody reviews themselves.
    { number: 20, repository: 'shop', title: 'unix: use less', author: 'ada-lovelace', labels: ['unix'], openedAt: at('2020-02-04T00:00:00Z'), mergedAt: at('2020-02-05T00:00:00Z'), reviews: [], commits: 1 },
  ])
})

test('an issue is closed by the last commit that fixes it; a pull request is none', async () => {
  const { issues } = await readHistory(repository.dir, parts, new Date(0))
  expect(issues).toEqual([{ number: 7, repository: 'shop', title: 'Asks for: unix: use less', labels: ['bug', 'fs', 'test', 'unix', 'win'], openedAt: at('2020-01-03T10:00:00Z'), closedAt: at('2020-02-05T00:00:00Z') }])
})

test('tags that are versions are releases', async () => {
  const { releases } = await readHistory(repository.dir, parts, new Date(0))
  expect(releases).toEqual([{ repository: 'shop', tag: 'v1.0.0', publishedAt: at('2020-02-05T00:00:00Z') }])
})

test('what ended before the beginning is left out', async () => {
  const { pulls, issues, releases } = await readHistory(repository.dir, parts, new Date('2020-02-01T00:00:00Z'))
  expect([pulls.map(({ number }) => number), issues.length, releases.length]).toEqual([[20], 1, 1])
})

test('a history without pull requests says what is wanted instead', async () => {
  const plain = await createRepository({ 'a.c': '1' })
  await expect(readHistory(plain.dir, parts, new Date(0))).rejects.toMatchObject({ code: 'no-history', message: expect.stringContaining('PR-URL') })
  await plain[Symbol.asyncDispose]()
})

test('labels are the parts before the colon', () => {
  expect(['win, fs: x', 'unix,win: x', 'Revert "win/tty: x"', 'src: a: b', 'No colon here', 'Something long that: is no part', '2020.01: now'].map(toLabels)).toEqual([
    ['win', 'fs'], ['unix', 'win'], ['win', 'tty'], ['src'], [], [], [],
  ])
})

test('days are those of git in every zone, across changes of the clock', async () => {
  await expect(checkDays(repository.dir, ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Kiritimati'])).resolves.toBeUndefined()
})

test('a zone that git does not know is told', async () => {
  // An offset is a zone to calendars here, and none that git has a file of.
  await expect(checkDays(repository.dir, ['+14:00'])).rejects.toMatchObject({ code: 'days-differ', message: expect.stringContaining('tzdata') })
})
