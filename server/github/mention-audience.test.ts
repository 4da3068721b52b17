import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { updateRepository } from '#db/tenant/repositories.ts'
import type { FakeRepository } from '../testing/fake-github/fake-repository.ts'
import { openTestGithub } from '../testing/open-test-github.ts'
import type { TestGithub } from '../testing/open-test-github.ts'
import { openTestMentions } from '../testing/open-test-mentions.ts'
import { publicAnswersAnHour, refusals } from './mention-audience.ts'

/** What may be seen in the private repository alone, in two others, and in the public one. */
const said = {
  own: '/** Owns the turnip ledger of the private shop. */\nexport function turnipLedger(): number {\n  return 1\n}\n',
  billing: '/** Bills the turnip invoices by moonlight. */\nexport function turnipInvoices(): number {\n  return 2\n}\n',
  payroll: '/** Pays the turnip wages from the vault. */\nexport function turnipWages(): number {\n  return 3\n}\n',
  open: '/** Opens the turnip catalogue to everyone. */\nexport function turnipCatalogue(): number {\n  return 4\n}\n',
}

let setup: TestGithub
let mentions: Awaited<ReturnType<typeof openTestMentions>>
let own: FakeRepository
let open: FakeRepository
let ids: Record<'own' | 'billing' | 'payroll' | 'open', string>

beforeAll(async () => {
  setup = await openTestGithub()
  mentions = await openTestMentions(setup)
  const shop = await mentions.add('shop', { 'own.ts': said.own })
  const billing = await mentions.add('billing', { 'billing.ts': said.billing })
  const payroll = await mentions.add('payroll', { 'payroll.ts': said.payroll }, { audience: 'granted' })
  const catalogue = await mentions.add('catalogue', { 'open.ts': said.open }, { private: false })
  ;[own, open] = [shop.fake, catalogue.fake]
  ids = { own: shop.row.id, billing: billing.row.id, payroll: payroll.row.id, open: catalogue.row.id }
  own.permit('ann', 'read')
  billing.fake.permit('ann', 'read')
  payroll.fake.permit('ann', 'admin')
  own.permit('bob', 'read')
})
afterAll(() => setup.close())
afterEach(() => setup.github.clearFaults())

async function ask(fake: FakeRepository, login: string, question = '@nura what does the turnip ledger, invoices, wages and catalogue code do?') {
  const issue = await fake.openIssue({ author: login })
  const comment = await issue.comment(login, question)
  const outcome = await mentions.run(mentions.toEvent(fake, 'issue', issue.number, comment))
  return { outcome, bodies: issue.comments.slice(1).map(({ body }) => body), comment }
}

const names = (body: string | undefined) => Object.keys(ids).filter((key) => body?.includes(`${key}.ts`))
const permissionPath = (login: string) => new RegExp(`/collaborators/${login}/permission$`)

describe('a private repository', () => {
  test('is answered from itself alone', async () => {
    const { bodies } = await ask(own, 'ann')
    expect(names(bodies[0])).toEqual(['own'])
  })

  test('and from those that its settings name, as far as the asker may read them and the tenant is open to them', async () => {
    const { fullName } = own
    const [owner] = fullName.split('/')
    await updateRepository(mentions.tenant, ids.own, { settings: { sources: [`${owner}/BILLING`, `${owner}/payroll`, `${owner}/nothing`] } })
    try {
      const before = mentions.asked.length
      await ask(own, 'ann')
      await ask(own, 'bob')
      expect(mentions.asked.slice(before).map(({ audience }) => audience)).toEqual([
        { kind: 'repositories', ids: [ids.own, ids.billing] },
        { kind: 'repositories', ids: [ids.own] },
      ])
    } finally {
      await updateRepository(mentions.tenant, ids.own, { settings: null })
    }
  })

  test('answers nobody who may not read it', async () => {
    const before = mentions.asked.length
    const { outcome, bodies, comment } = await ask(own, 'eve')
    expect(outcome).toBe('refused:no-right')
    expect(bodies[0]).toMatch(new RegExp(`^${refusals.unread}\n`))
    expect(comment.reactions).toEqual([])
    expect(mentions.asked).toHaveLength(before)
  })

  test.each([404, 500, 403, 422])('answers nobody whose right GitHub does not tell (%i)', async (status) => {
    const login = `lost-${status}`
    own.permit(login, 'admin')
    setup.github.fail({ path: permissionPath(login) }, { kind: 'status', status }, 10)
    const before = mentions.asked.length
    const { outcome, bodies } = await ask(own, login)
    expect(outcome).toBe('refused:rights-unknown')
    expect(bodies[0]).toMatch(new RegExp(`^${refusals.unknown}\n`))
    expect(mentions.asked).toHaveLength(before)
  })

  test('asks GitHub of the person, not of the name: one that was given up and taken is somebody else', async () => {
    own.permit('mallory', 'write')
    const issue = await own.openIssue({})
    const event = mentions.toEvent(own, 'issue', issue.number, await issue.comment('mallory', '@nura where is turnipLedger?'))
    expect(await mentions.run({ ...event, author: { ...event.author, id: event.author.id + 1_000_000 } })).toBe('refused:no-right')
  })

  test('a right that was taken away is gone within a minute', async () => {
    own.permit('carl', 'read')
    expect((await ask(own, 'carl', '@nura where is turnipLedger?')).outcome).toBe('answered')
    own.permit('carl', 'none')
    mentions.pass(60_000)
    expect((await ask(own, 'carl')).outcome).toBe('refused:no-right')
  })

  test('a delivery that says it is public does not make it so', async () => {
    const issue = await own.openIssue({})
    const event = mentions.toEvent(own, 'issue', issue.number, await issue.comment('eve', '@nura where is turnipLedger?'))
    expect(await mentions.run({ ...event, isPrivate: false })).toBe('refused:no-right')
  })
})

describe('a public repository', () => {
  test('is answered from public ones alone, whoever asks', async () => {
    open.permit('ann', 'write')
    const before = mentions.asked.length
    const { bodies } = await ask(open, 'ann')
    expect(names(bodies[0])).toEqual(['open'])
    expect(mentions.asked[before]!.audience).toEqual({ kind: 'public' })
  })

  test('a row that still says public does not open one that was made private', async () => {
    const issue = await open.openIssue({})
    const event = mentions.toEvent(open, 'issue', issue.number, await issue.comment('ann', '@nura where is turnipCatalogue?'))
    const before = mentions.asked.length
    await mentions.run({ ...event, isPrivate: true })
    expect(mentions.asked[before]!.audience).toEqual({ kind: 'repositories', ids: [ids.open] })
  })

  test('somebody who may not write gets some answers an hour, then one line, then nothing', async () => {
    const outcomes: string[] = []
    const bodies: string[] = []
    for (let at = 0; at < publicAnswersAnHour + 3; at++) {
      const asked = await ask(open, 'dora', '@nura where is turnipCatalogue?')
      outcomes.push(asked.outcome)
      bodies.push(...asked.bodies)
    }
    expect(outcomes).toEqual([...Array.from({ length: publicAnswersAnHour }, () => 'answered'), 'refused:too-often', 'silent:too-often', 'silent:too-often'])
    expect(bodies).toHaveLength(publicAnswersAnHour + 1)
    expect(bodies.at(-1)).toMatch(new RegExp(`^${refusals.often}\n`))
    open.permit('fred', 'write')
    for (let at = 0; at < publicAnswersAnHour + 1; at++) expect((await ask(open, 'fred', '@nura where is turnipCatalogue?')).outcome).toBe('answered')
  })
})
