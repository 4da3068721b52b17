import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db } from '#db/index.ts'
import { addRepository } from '#db/tenant/repositories.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { answer } from './answer.ts'
import { indexSource } from './indexing/index-changes.ts'
import { createLog } from './log.ts'
import { createExtractive } from './models/extractive.ts'
import { lexicalEmbedders } from './models/lexical.ts'
import { createGitSource } from './sources/git.ts'
import { createRepository } from './testing/create-repository.ts'
import type { TestRepository } from './testing/create-repository.ts'

const log = createLog({ level: 'silent', process: 'test' })
let db: Db
let repository: TestRepository

beforeAll(async () => {
  ;[db, repository] = await Promise.all([openTestDb(), createRepository({ 'docs/limits.md': '# Limits\n\nA failed upload is tried again: the limit of max upload retries is 3.\n' })])
})
afterAll(async () => {
  await db.close()
  await repository[Symbol.asyncDispose]()
})

test('where code and document disagree, that is told first: both with their dates, and which of them runs', async () => {
  await repository.git('commit', '--amend', '--no-edit', '--date=2026-03-01T12:00:00Z')
  await repository.write({ 'src/upload.ts': '/** How often a failed upload is tried again. */\nexport const maxUploadRetries = 5\n' })
  await repository.commit()
  const tenant = await createTestTenant(db)
  const added = await addRepository(tenant, { name: 'acme/shop', source: 'git', location: repository.dir })
  await indexSource({ embedders: lexicalEmbedders, log }, tenant, added, createGitSource(repository.dir))
  const models = { dev: [createExtractive()], pm: [createExtractive()], architect: [createExtractive()] }
  const parts = { db, embedders: lexicalEmbedders, models, log, openSource: () => createGitSource(repository.dir) }
  let text = ''
  const cited: string[] = []
  for await (const part of answer(parts, tenant, { text: 'What is the limit of max upload retries?', audience: { kind: 'tenant' }, asker: 'test:ada' }, new AbortController().signal)) {
    if (part.kind === 'text') text += part.markdown
    if (part.kind === 'citation') cited.push(part.citation.path)
  }
  const [code, document] = await Promise.all(['src/upload.ts', 'docs/limits.md'].map(async (path) => (await repository.git('log', '-1', '--format=%as', '--', path)).trim()))
  expect(text.split('\n')[0]).toBe(
    `**Code and documents disagree on \`maxUploadRetries\`.** The code has \`5\` in \`src/upload.ts\` (line 2), changed ${code}, [1], and that is what runs; the document \`docs/limits.md\`, changed ${document}, says "A failed upload is tried again: the limit of max upload retries is 3" [2].`,
  )
  expect(cited.slice(0, 2)).toEqual(['src/upload.ts', 'docs/limits.md'])
})
