import { afterAll, beforeAll, expect, test } from 'vitest'
import { findRepository } from '#db/tenant/repositories.ts'
import type { Citation } from '../answer-part.ts'
import { indexSource } from '../indexing/index-changes.ts'
import { createLog } from '../log.ts'
import { lexicalEmbedders } from '../models/lexical.ts'
import { createGithubSource } from '../sources/github.ts'
import { openTestGithub } from '../testing/open-test-github.ts'
import type { TestGithub } from '../testing/open-test-github.ts'
import { openTestMentions } from '../testing/open-test-mentions.ts'
import { checkLinks } from './check-links.ts'
import { readOverlay } from './read-overlay.ts'

let setup: TestGithub
beforeAll(async () => {
  setup = await openTestGithub()
})
afterAll(() => setup.close())

test('only lines that are there at their commit stay: of the index, of what it was before, of a pull request', async () => {
  const { tenant, app, installation, add } = await openTestMentions(setup)
  const { fake, row: first } = await add('shop', { 'a.ts': 'one\ntwo\nthree\n', 'gone.ts': 'one\n' })
  await fake.commit({ 'gone.ts': null, 'b.ts': 'one\n' })
  await indexSource({ embedders: lexicalEmbedders, log: createLog({ level: 'silent', process: 'test' }) }, tenant, first, createGithubSource(app, first))
  const row = (await findRepository(tenant, first.id))!
  const pull = await fake.openPull({ branch: 'new', files: { 'new.ts': 'one\ntwo\n' }, author: 'bob' })
  const github = app.as(installation.id)
  const signal = new AbortController().signal
  const head = pull.pull.head.sha
  const { overlay } = await readOverlay(github, row, { repository: fake.fullName, number: pull.number, headSha: head, focus: null, question: '' }, signal)

  const [now, before] = [row.indexedSha!, first.indexedSha!]
  const cited: [keep: boolean, path: string, endLine: number, sha: string][] = [
    [true, 'a.ts', 3, now],
    [false, 'a.ts', 4, now],
    [false, 'gone.ts', 1, now],
    [true, 'b.ts', 1, now],
    [true, 'gone.ts', 1, before],
    [false, 'b.ts', 1, before],
    [false, 'gone.ts', 2, before],
    [true, 'new.ts', 2, head],
    [false, 'new.ts', 3, head],
    [false, 'never.ts', 1, head],
    [false, 'a.ts', 1, 'e'.repeat(40)],
  ]
  const citations = cited.map(([, path, endLine, sha], at): Citation => ({ n: at + 1, repository: row.name, path, startLine: 1, endLine, sha, url: null }))
  const other: Citation = { ...citations[0]!, n: 99, repository: 'acme/other' }
  const titled: Citation = { ...other, n: 100, title: 'Handbook' }
  const kept = await checkLinks({ tenant, github, overlay, signal }, [...citations, other, titled], [row])
  expect(kept.map(({ n }) => n)).toEqual([...cited.flatMap(([keep], at) => (keep ? [at + 1] : [])), 100])
})
