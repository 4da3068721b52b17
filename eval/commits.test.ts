import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRepository, type TestRepository } from '#server/testing/create-repository.ts'
import { readCommits } from './commits.ts'

let repository: TestRepository

beforeAll(async () => {
  repository = await createRepository({
    'src/cart.ts': 'a',
    'src/tax.ts': 'a',
    'test/cart.test.ts': 'a',
    'CHANGELOG.md': 'a',
    'package.json': '{}',
  })
  const change = async (files: Record<string, string>, message: string) => {
    await repository.write(files)
    await repository.commit(message)
  }
  await change({ 'src/cart.ts': 'b', 'test/cart.test.ts': 'b' }, 'Round totals to whole cents (#12), fixes #9')
  await change({ 'src/tax.ts': 'b', 'CHANGELOG.md': 'b' }, 'fix: keep the tax of every line')
  await change({ 'src/tax.ts': 'c' }, 'Fix rounding')
  await change({ 'src/tax.ts': 'd' }, 'chore: move the rates of all countries')
  await change({ 'test/cart.test.ts': 'c' }, 'Add a case for an empty basket')
  await change({ 'src/new.ts': 'a' }, 'Introduce a module of its own')
  await change(
    Object.fromEntries(Array.from({ length: 6 }, (_, at) => [`src/more${at}.ts`, 'a'])),
    'Write six more small modules now',
  )
  await change(
    Object.fromEntries(Array.from({ length: 6 }, (_, at) => [`src/more${at}.ts`, 'b'])),
    'Change all six of them together',
  )
})
afterAll(() => repository[Symbol.asyncDispose]())

test('only commits that change a few existing sources make questions, newest first', async () => {
  const questions = await readCommits(repository.dir, 150)
  expect(questions.map(({ subject, files, named }) => ({ subject, files, named }))).toEqual([
    { subject: 'fix: keep the tax of every line', files: ['src/tax.ts'], named: true },
    { subject: 'Round totals to whole cents ,', files: ['src/cart.ts'], named: false },
  ])
  expect(questions[1]!.parent).toMatch(/^[0-9a-f]{40}$/)
})

test('the limit holds', async () => {
  expect(await readCommits(repository.dir, 1)).toHaveLength(1)
})
