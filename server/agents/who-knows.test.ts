import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { findAnswer } from '#db/tenant/answers.ts'
import { addRepository } from '#db/tenant/repositories.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { answer } from '../answer.ts'
import type { AnswerParts, Question } from '../answer.ts'
import { indexSource } from '../indexing/index-changes.ts'
import { createLog } from '../log.ts'
import { createExtractive } from '../models/extractive.ts'
import { lexicalEmbedders } from '../models/lexical.ts'
import { createGitSource } from '../sources/git.ts'
import type { Committer, Source } from '../sources/source.ts'
import { createRepository } from '../testing/create-repository.ts'
import { writeWhoKnows } from './who-knows.ts'

const log = createLog({ level: 'silent', process: 'test' })
const models = { dev: [createExtractive()], pm: [createExtractive()], architect: [createExtractive()] }
let db: Db
beforeAll(async () => {
  db = await openTestDb()
})
afterAll(() => db.close())

const dayMs = 24 * 3_600_000
const question = 'Which zeppelin does the refund gateway charter on Sundays?'

/** A tenant with one repository whose refunds Ada and Ben changed, and what asking it something it does not know gives. */
async function openShop(owners: string | null, audience: 'tenant' | 'granted' = 'tenant') {
  const files = { 'src/pay/refund.ts': '/** Refunds an order through the gateway. */\nexport function refund(order: Order) {\n  return gateway.refund(order)\n}\n', 'README.md': '# Shop\n\nSells books.\n', ...(owners === null ? {} : { '.github/CODEOWNERS': owners }) }
  const repository = await createRepository()
  await repository.write(files)
  onTestFinished(() => repository[Symbol.asyncDispose]())
  for (const [name, days] of [['Ben', 400], ['Ada', 20], ['Ada', 12]] as const) {
    await repository.write({ 'src/pay/refund.ts': `${files['src/pay/refund.ts']}// ${name} ${days}\n` })
    await repository.git('add', '--all')
    await repository.git('-c', `user.name=${name}`, 'commit', '--quiet', '--date', new Date(Date.now() - days * dayMs - 3_600_000).toISOString(), '--message', 'Change')
  }
  const tenant = await createTestTenant(db)
  const added = await addRepository(tenant, { name: 'acme/shop', source: 'git', location: repository.dir, audience })
  await indexSource({ embedders: lexicalEmbedders, log }, tenant, added, createGitSource(repository.dir))
  const openSource = ({ location }: { location: string }): Source => createGitSource(location)
  return { tenant, ask: (parts: Partial<AnswerParts> = {}, more: Partial<Question> = {}) => ask(tenant, { openSource, ...parts }, more) }
}

async function ask(tenant: TenantDb, parts: Partial<AnswerParts>, more: Partial<Question>) {
  let [text, answerId] = ['', '']
  const asked: Question = { text: question, audience: { kind: 'tenant' }, asker: 'test:ann', ...more }
  for await (const part of answer({ db, embedders: lexicalEmbedders, models, log, ...parts }, tenant, asked, new AbortController().signal)) {
    if (part.kind === 'text') text += part.markdown
    if (part.kind === 'done') answerId = part.answerId
    if (part.kind === 'error') throw new Error(part.message)
  }
  const stored = (await findAnswer(tenant, answerId))!
  expect(stored.abstained).toBe(true)
  return { text, trace: stored.trace, line: text.split('\n').find((each) => each.startsWith('Might know')) }
}

describe('an answer that found nothing', () => {
  test('names the owners and the recent committers of the nearest files', async () => {
    const shop = await openShop('* @acme/all\n/src/pay/ @acme/payments @cleo pay@example.com\n')
    const { line, trace } = await shop.ask()
    expect(line).toMatch(/^Might know: `@acme\/payments` `@cleo` \(CODEOWNERS of `\/src\/pay\/`\)(, `@acme\/all` \(CODEOWNERS of `\*`\))?, Ada \(2 commits, last 12 d ago\)\.$/)
    expect(line).not.toMatch(/Ben|example\.com/)
    expect(trace).toMatchObject({ whoKnows: { owners: expect.arrayContaining(['@acme/payments', '@cleo']), line: expect.stringMatching(/^Might know: / ) } })
  })

  test('says on GitHub, and only there, that the owners can be called', async () => {
    const shop = await openShop('* @acme/all\n')
    expect((await shop.ask({}, { thread: 'github:1:2:3' })).line).toMatch(/To call the owners, mention me with "ask them"\.$/)
    expect((await shop.ask({}, { thread: 'slack:T:C:1' })).line).not.toContain('ask them')
  })

  test('without owners names who committed, without a source to ask the owners, without both nobody', async () => {
    const unowned = await openShop(null)
    expect((await unowned.ask()).line).toMatch(/^Might know: Ada \(/)
    expect((await unowned.ask({ openSource: undefined })).text).not.toContain('Might know')
    const owned = await openShop('* @acme/all\n')
    expect((await owned.ask({ openSource: undefined })).line).toBe('Might know: `@acme/all` (CODEOWNERS of `*`).')
  })

  test('does not hang on a source that is slow, fails or cannot be opened', async () => {
    const shop = await openShop('* @acme/all\n')
    const only = 'Might know: `@acme/all` (CODEOWNERS of `*`).'
    const git = createGitSource('/nowhere')
    const slow = () => ({ ...git, committers: () => new Promise<Committer[]>(() => undefined) })
    const failing = () => ({ ...git, committers: async () => Promise.reject(new Error('away')) })
    const closed = (): Source => {
      throw new Error('not configured')
    }
    for (const openSource of [slow, failing, closed]) expect((await shop.ask({ openSource })).line).toBe(only)
  })

  test('names nobody of a repository that its readers may not see', async () => {
    const shop = await openShop('* @acme/secret-team\n', 'granted')
    const { text, trace } = await shop.ask()
    expect(text + JSON.stringify(trace)).not.toMatch(/secret-team|Ada|Might know/)
  })
})

test('a committer of unknown diligence is known by the last commit', () => {
  const committers = [{ name: 'Ada', login: 'ada', at: new Date(0) }]
  expect(writeWhoKnows({ owners: [], committers }, new Date(2 * dayMs))).toBe('Might know: Ada (`@ada`, last commit 2 d ago).')
})

test('names are somebody’s text: nothing in the line is live', () => {
  const name = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.constantFrom('<!channel>', '@everyone', '[x](https://evil.example)', 'a`b', 'ann@example.com', 'evil.example', '<@U0BOB>', '![i](x)', '# Big', 'http://evil.example/x', '<b>Ann</b>', '[1]', '*/ls'))
  const committer = fc.record({ name, login: fc.constant(null), at: fc.constant(new Date(0)), commits: fc.nat() })
  fc.assert(
    fc.property(fc.array(committer, { minLength: 1, maxLength: 3 }), (committers) => {
      const line = writeWhoKnows({ owners: [], committers }, new Date(dayMs))
      expect(line.slice('Might know: '.length)).toMatch(/^[\p{L}\p{M}\p{N}'’. (),-]*$/u)
      expect(line).not.toMatch(/\.\p{L}/u)
    }),
  )
})
