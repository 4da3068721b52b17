import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { findAnswer } from '#db/tenant/answers.ts'
import { updateRepository } from '#db/tenant/repositories.ts'
import { kept } from '../retention.ts'
import { openTestGithub } from '../testing/open-test-github.ts'
import type { TestGithub } from '../testing/open-test-github.ts'
import { openTestMentions } from '../testing/open-test-mentions.ts'
import { MentionState } from './mention-state.ts'

const files = {
  'README.md': '# Shop\n\nShop is a small web shop for books.\n',
  'src/verify.ts': `import { createHmac } from 'node:crypto'

/** Checks the signature of a webhook against the shared secret. */
export function verifySignature(body: Buffer, signature: string, secret: string): boolean {
  const expected = createHmac('sha256', secret).update(body).digest('hex')
  return expected === signature
}
`,
  'src/receive.ts': `import { verifySignature } from './verify.ts'

/** Receives a webhook and refuses what is not signed. */
export function receiveWebhook(body: Buffer, signature: string): boolean {
  return verifySignature(body, signature, process.env.WEBHOOK_SECRET ?? '')
}
`,
}

const added = {
  'src/throttle.ts': `import { receiveWebhook } from './receive.ts'

/** Lets at most so many webhooks of one sender pass in a minute. */
export function throttleSender(sender: string, limit: number): boolean {
  const seen = counts.get(sender) ?? 0
  counts.set(sender, seen + 1)
  return seen < limit
}

const counts = new Map<string, number>()
`,
}

let setup: TestGithub
let shop: Awaited<ReturnType<typeof open>>
beforeAll(async () => {
  setup = await openTestGithub()
  shop = await open()
})
afterAll(() => setup.close())
afterEach(() => setup.github.clearFaults())

async function open() {
  const mentions = await openTestMentions(setup)
  const { fake, row } = await mentions.add('shop', files)
  fake.permit('ann', 'write')
  return { ...mentions, fake, row }
}

describe('a mention', () => {
  test('in an issue: eyes, one comment with links to lines that are there, no eyes', async () => {
    const { fake, row, run, toEvent, tenant } = shop
    const issue = await fake.openIssue({ author: 'bob', title: 'Signatures' })
    const comment = await issue.comment('ann', '@nura where do we verify webhook signatures?')
    const kept = { delivery: null as unknown }
    expect(await run(toEvent(fake, 'issue', issue.number, comment), kept)).toBe('answered')

    const [, answer, ...more] = issue.comments
    expect(more).toEqual([])
    expect(answer).toMatchObject({ viaApp: true })
    expect(answer!.body).toContain(`[[1]](${row.url}/blob/${row.indexedSha}/src/verify.ts#L`)
    expect(answer!.body).toContain('[`src/verify.ts#L')
    expect(answer!.body).toContain(`<sub>\`${row.name}@${row.indexedSha!.slice(0, 7)}\` · indexed just now</sub>`)
    expect(answer!.body).not.toMatch(/@nura/i)
    expect(answer!.body).not.toMatch(/^\//m)
    expect(comment.reactions).toEqual([])
    const eyes = setup.github.callsTo('POST', new RegExp(`comments/${comment.id}/reactions$`))
    expect(eyes).toHaveLength(1)
    const own = setup.github.calls.filter(({ path }) => path.startsWith(`/repos/${fake.fullName}/`) && !/\/(?:git|tarball|commits|contents)\b/.test(path))
    expect(own[0]).toBe(eyes[0])
    const state = MentionState.parse(kept.delivery)
    expect(state).toMatchObject({ reactionId: null, commentId: answer!.id })
    expect(await findAnswer(tenant, state.answerId!)).toMatchObject({ asker: `github:${toEvent(fake, 'issue', 1, comment).installationId}:${comment.user.id}`, question: 'where do we verify webhook signatures?' })
  })

  test('in a review thread, about code that only the pull request has: lines at its head', async () => {
    const { fake, row, run, toEvent, tenant, asked } = shop
    const pull = await fake.openPull({ branch: 'throttle', files: added, author: 'bob' })
    const root = await pull.review('bob', { path: 'src/throttle.ts', line: 5, body: 'Why so?' })
    const comment = await pull.reply('ann', root.id, '@nura what does throttleSender do?')
    expect(await run(toEvent(fake, 'review', pull.number, comment))).toBe('answered')

    const [, , answer, ...more] = pull.pull.reviewComments
    expect(more).toEqual([])
    expect(answer!.review).toMatchObject({ rootId: root.id })
    const head = pull.pull.head.sha
    expect(answer!.body).toMatch(/throttleSender.*Lets at most so many webhooks of one sender pass in a minute/)
    expect(answer!.body).toContain(`${row.url}/blob/${head}/src/throttle.ts#L`)
    expect(answer!.body).toContain('head of this pull request')
    expect(pull.comments).toEqual([])
    expect(asked.at(-1)!.context).toEqual([
      { author: 'bob', text: 'A change', trusted: false },
      { author: 'GitHub', text: expect.stringMatching(/^src\/throttle\.ts line 5\n@@/), trusted: false },
      { author: 'bob', text: 'Why so?', trusted: false },
    ])
    expect(await tenant.transaction((tx) => tx.query(`select 1 from file where path = 'src/throttle.ts'`))).toEqual([])
  })

  test('on a line asks about what the line is in', async () => {
    const { fake, run, toEvent } = shop
    const pull = await fake.openPull({ branch: 'throttle', files: added, author: 'bob' })
    const comment = await pull.review('ann', { path: 'src/throttle.ts', line: 6, body: '@nura what does this do?' })
    expect(await run(toEvent(fake, 'review', pull.number, comment))).toBe('answered')
    expect(pull.pull.reviewComments.at(-1)!.body).toMatch(/`throttleSender`/)
  })

  test('in what opens an issue: eyes on the issue itself', async () => {
    const { fake, run, toEvent } = shop
    const issue = await fake.openIssue({ author: 'ann', body: '@nura where do we verify webhook signatures?' })
    const event = toEvent(fake, 'issue', issue.number, { id: issue.number, user: issue.user, body: issue.body!, review: null } as Parameters<typeof toEvent>[3])
    setup.github.before({ method: 'POST', path: new RegExp(`issues/${issue.number}/comments$`) }, () => expect(issue.reactions).toHaveLength(1))
    expect(await run(event)).toBe('answered')
    expect(issue.reactions).toEqual([])
    expect(issue.comments).toHaveLength(1)
  })

  test('in a pull request with more than can be read says how much was', async () => {
    const { fake, run, toEvent } = shop
    const many = Object.fromEntries(Array.from({ length: 320 }, (_, at) => [`many/f${at}.ts`, `export const value${at} = ${at}\n`]))
    const pull = await fake.openPull({ branch: 'many', files: { ...many, ...added }, author: 'bob' })
    const comment = await pull.comment('ann', '@nura what does throttleSender do?')
    await run(toEvent(fake, 'pull', pull.number, comment))
    expect(pull.comments.at(-1)!.body).toContain('\n\nRead for this answer: 300 of 321 changed files.  \n<sub>')
  })

  test('in a pull request: what it removes or changes is not told from the index', async () => {
    const { fake, run, toEvent } = shop
    const changed = files['src/verify.ts'].replace('Checks the signature', 'Compares in constant time the signature')
    const pull = await fake.openPull({ branch: 'constant', files: { 'src/verify.ts': changed, 'src/receive.ts': null }, author: 'bob' })
    const comment = await pull.comment('ann', '@nura where do we verify webhook signatures?')
    await run(toEvent(fake, 'pull', pull.number, comment))
    const { body } = pull.comments.at(-1)!
    expect(body).toContain('Compares in constant time')
    expect(body).toContain(`/blob/${pull.pull.head.sha}/src/verify.ts#L`)
    expect(body).not.toContain('src/receive.ts')
  })

  test('that the sources do not answer says so', async () => {
    const { fake, run, toEvent } = shop
    const issue = await fake.openIssue({})
    const comment = await issue.comment('ann', '@nura where is the Norwegian value added tax computed?')
    expect(await run(toEvent(fake, 'issue', issue.number, comment))).toBe('abstained')
    expect(issue.comments.at(-1)!.body).toMatch(/^I could not find this in `/)
  })

  test('follows up in its thread', async () => {
    const { fake, run, toEvent } = shop
    const issue = await fake.openIssue({})
    await run(toEvent(fake, 'issue', issue.number, await issue.comment('ann', '@nura where do we verify webhook signatures?')))
    await run(toEvent(fake, 'issue', issue.number, await issue.comment('ann', '@nura and who calls it?')))
    expect(issue.comments.at(-1)!.body).toContain('receiveWebhook')
  })
})

describe('a word', () => {
  test('asks for what was asked before, anew', async () => {
    const { fake, run, toEvent, asked } = shop
    const issue = await fake.openIssue({})
    await run(toEvent(fake, 'issue', issue.number, await issue.comment('ann', '@nura where do we verify webhook signatures?')))
    expect(await run(toEvent(fake, 'issue', issue.number, await issue.comment('ann', '@nura re-check, please')))).toBe('answered')
    expect(asked.at(-1)!.text).toBe('where do we verify webhook signatures?')
    expect(issue.comments.at(-1)!.body).toContain('src/verify.ts#L')
  })

  test('calls owners for those who may write, and does not let others have any number of comments written', async () => {
    const { add, run, toEvent } = await openTestMentions(setup)
    const { fake } = await add('open', { ...files, CODEOWNERS: '* @acme/payments\n' }, { private: false })
    fake.permit('ann', 'write')
    const issue = await fake.openIssue({ author: 'ann' })
    const say = async (login: string, body: string) => run(toEvent(fake, 'issue', issue.number, await issue.comment(login, body)))
    expect(await say('ann', '@nura where is the Norwegian value added tax computed?')).toBe('abstained')
    const refused = []
    for (let at = 0; at < 8; at++) refused.push(await say('guest', '@nura ask them'))
    expect(refused).toEqual([...Array.from({ length: 5 }, () => 'refused:not-theirs'), 'refused:too-often', 'silent:too-often', 'silent:too-often'])
    expect(await say('ann', '@nura ask them')).toBe('called-owners')
    expect(issue.comments.at(-1)!.body).toMatch(/^@acme\/payments: `ann` asks for your help here\./)
    expect(await say('ann', '@nura ask them')).toBe('ignored:called-already')
    expect(issue.comments.filter(({ viaApp, body }) => viaApp && body.startsWith('@acme/payments'))).toHaveLength(1)
  })

  test('tells what is in force for the readers of a private thread, and nothing of how Nura is run in a public one', async () => {
    const { add, run, toEvent } = await openTestMentions(setup)
    const { fake } = await add('private-shop', files)
    const { fake: open } = await add('public-shop', files, { private: false })
    for (const each of [fake, open]) each.permit('ann', 'write')
    const [issue, other] = [await fake.openIssue({ author: 'ann' }), await open.openIssue({ author: 'ann' })]
    expect(await run(toEvent(fake, 'issue', issue.number, await issue.comment('ann', '@nura config')))).toBe('word:config')
    expect(await run(toEvent(open, 'issue', other.number, await other.comment('ann', '@nura config')))).toBe('word:config')
    const [told, inPublic] = [issue.comments.at(-1)!.body, other.comments.at(-1)!.body]
    expect(told).toContain('**Dev answers with**: `extractive:default` (default)')
    expect(told).toMatch(/\*\*Answered here from\*\*: `[^`]*private-shop`/)
    expect(told).not.toContain('public-shop')
    expect(inPublic).toContain('public-shop')
    expect(inPublic).not.toMatch(/private-shop|extractive|Tokens/)
    expect(await run(toEvent(open, 'issue', other.number, await other.comment('ann', '@nura privacy')))).toBe('word:privacy')
    for (const { until } of kept) expect(other.comments.at(-1)!.body).toContain(until)
  })
})

describe('whatever fails', () => {
  test('a comment that GitHub wrote and did not confirm is written once', async () => {
    const { fake, run, toEvent } = shop
    const issue = await fake.openIssue({})
    const comment = await issue.comment('ann', '@nura where do we verify webhook signatures?')
    setup.github.fail({ method: 'POST', path: new RegExp(`issues/${issue.number}/comments$`) }, { kind: 'status', status: 502, commits: true })
    expect(await run(toEvent(fake, 'issue', issue.number, comment))).toBe('answered')
    expect(issue.comments).toHaveLength(2)
  })

  test('a run that is repeated shows the answer that was made, once', async () => {
    const { fake, run, toEvent, asked } = shop
    const issue = await fake.openIssue({})
    const event = toEvent(fake, 'issue', issue.number, await issue.comment('ann', '@nura where do we verify webhook signatures?'))
    const kept = { delivery: null }
    const before = asked.length
    setup.github.fail({ method: 'POST', path: new RegExp(`issues/${issue.number}/comments$`) }, { kind: 'status', status: 502 })
    await expect(run(event, kept)).rejects.toMatchObject({ code: 'github-unavailable', retryable: true })
    expect(await run(event, kept)).toBe('answered')
    expect(await run(event, kept)).toBe('answered')
    expect(issue.comments).toHaveLength(2)
    expect(issue.comments[0]!.reactions).toEqual([])
    expect(asked).toHaveLength(before + 1)
  })

  test('an answer that was made and not shown is not shown to other readers', async () => {
    const { add, run, toEvent, asked, tenant } = await openTestMentions(setup)
    const ledger = await add('ledger', { 'src/ledger.ts': '/** Books an entry into the ledger. */\nexport function bookEntry() {}\n' })
    const { fake, row } = await add('soon-open', { ...files }, { settings: { sources: [ledger.row.name] } as never })
    for (const each of [fake, ledger.fake]) each.permit('ann', 'write')
    const issue = await fake.openIssue({})
    const event = toEvent(fake, 'issue', issue.number, await issue.comment('ann', '@nura what does bookEntry do?'))
    const kept = { delivery: null }
    setup.github.fail({ method: 'POST', path: new RegExp(`issues/${issue.number}/comments$`) }, { kind: 'status', status: 502 })
    await expect(run(event, kept)).rejects.toMatchObject({ code: 'github-unavailable' })
    await fake.setPrivate(false)
    await updateRepository(tenant, row.id, { isPublic: true })
    expect(await run({ ...event, isPrivate: false }, kept)).toBe('abstained')
    expect(asked.map(({ audience }) => audience)).toEqual([{ kind: 'repositories', ids: [row.id, ledger.row.id] }, { kind: 'public' }])
    expect(issue.comments.at(-1)!.body).not.toMatch(/ledger/)
    const threads = asked.map(({ thread }) => thread!)
    expect(threads).toEqual([threads[0], `${threads[0]}:public`])
  })

  test('eyes of which GitHub did not say whether they are there go too', async () => {
    const { fake, run, toEvent } = shop
    const issue = await fake.openIssue({})
    const comment = await issue.comment('ann', '@nura where do we verify webhook signatures?')
    setup.github.fail({ method: 'POST', path: new RegExp(`comments/${comment.id}/reactions$`) }, { kind: 'status', status: 502, commits: true })
    setup.github.before({ method: 'GET', path: new RegExp(`issues/${issue.number}$`) }, () => expect(comment.reactions).toHaveLength(1))
    expect(await run(toEvent(fake, 'issue', issue.number, comment))).toBe('answered')
    expect(comment.reactions).toEqual([])
  })

  test('where reactions or comments are refused, it ends without them', async () => {
    const { fake, run, toEvent } = shop
    const issue = await fake.openIssue({})
    const comment = await issue.comment('ann', '@nura where do we verify webhook signatures?')
    setup.github.fail({ method: 'POST', path: new RegExp(`comments/${comment.id}/reactions$`) }, { kind: 'status', status: 403 })
    expect(await run(toEvent(fake, 'issue', issue.number, comment))).toBe('answered')
    issue.locked = true
    expect(await run(toEvent(fake, 'issue', issue.number, comment))).toBe('failed:github-forbidden')
    expect(comment.reactions).toEqual([])
  })

  test('the last attempt shows one line with a reference', async () => {
    const { fake, run, toEvent } = shop
    const issue = await fake.openIssue({})
    const comment = await issue.comment('ann', '@nura where do we verify webhook signatures?')
    setup.github.fail({ method: 'GET', path: new RegExp(`issues/${issue.number}$`) }, { kind: 'status', status: 500 }, 10)
    expect(await run(toEvent(fake, 'issue', issue.number, comment), undefined, { lastAttempt: true })).toBe('failed:github-unavailable')
    expect(issue.comments).toHaveLength(2)
    expect(issue.comments[1]!.body).toMatch(/^Something went wrong on our side, and I have no answer\. Ask again in a few minutes\. Ref [0-9A-F]{6}\n/)
    expect(comment.reactions).toEqual([])
  })

  test('a failure that was shown gives its place to what comes of a later run', async () => {
    const { fake, run, toEvent } = shop
    const pull = await fake.openPull({ branch: 'late', files: added, author: 'bob' })
    const root = await pull.review('bob', { path: 'src/throttle.ts', line: 5, body: 'Why so?' })
    const places = [
      { surface: 'pull' as const, comments: pull.comments, asked: await pull.comment('ann', '@nura where do we verify webhook signatures?') },
      { surface: 'review' as const, comments: pull.pull.reviewComments, asked: await pull.reply('ann', root.id, '@nura where do we verify webhook signatures?') },
    ]
    for (const { surface, comments, asked } of places) {
      const kept = { delivery: null }
      const event = toEvent(fake, surface, pull.number, asked)
      for (const times of [1, 2]) {
        setup.github.fail({ method: 'GET', path: new RegExp(`pulls/${pull.number}$`) }, { kind: 'status', status: 500 }, 2)
        expect(await run(event, kept, { lastAttempt: true }), String(times)).toBe('failed:github-unavailable')
        expect(comments.at(-1)!.body).toMatch(/Ref [0-9A-F]{6}/)
      }
      const { id } = comments.at(-1)!
      expect(await run(event, kept)).toBe('answered')
      expect(comments.at(-1)).toMatchObject({ id, body: expect.stringContaining('src/verify.ts#L') })
      expect(comments.at(-1)!.body).not.toContain('Ref ')
      expect(await run(event, kept)).toBe('answered')
      expect(comments.filter(({ viaApp }) => viaApp)).toHaveLength(1)
      expect(asked.reactions).toEqual([])
    }
  })

  test('a failure of which GitHub did not say whether it is shown gives its place too', async () => {
    const { fake, run, toEvent } = shop
    const issue = await fake.openIssue({})
    const event = toEvent(fake, 'issue', issue.number, await issue.comment('ann', '@nura where do we verify webhook signatures?'))
    const kept = { delivery: null }
    setup.github.fail({ method: 'GET', path: new RegExp(`issues/${issue.number}$`) }, { kind: 'status', status: 500 }, 2)
    setup.github.fail({ method: 'POST', path: new RegExp(`issues/${issue.number}/comments$`) }, { kind: 'status', status: 502, commits: true })
    setup.github.fail({ method: 'GET', path: new RegExp(`issues/${issue.number}/comments$`) }, { kind: 'status', status: 502 }, 2)
    expect(await run(event, kept, { lastAttempt: true })).toBe('failed:github-unavailable')
    expect(await run(event, kept)).toBe('answered')
    expect(issue.comments).toHaveLength(2)
    expect(issue.comments[1]!.body).toContain('src/verify.ts#L')
  })

  test('a limit is waited out by nobody, and no answer is lost', async () => {
    const { fake, run, toEvent } = await open()
    const issue = await fake.openIssue({})
    const comment = await issue.comment('ann', '@nura where do we verify webhook signatures?')
    setup.github.fail({ path: new RegExp(`issues/${issue.number}$`) }, { kind: 'secondary', seconds: 30 })
    await expect(run(toEvent(fake, 'issue', issue.number, comment), undefined, { lastAttempt: true })).rejects.toMatchObject({ code: 'github-rate-limited', retryAt: expect.any(Date) })
    expect(issue.comments).toHaveLength(1)
  })

  test('what is no longer there is not answered', async () => {
    const { fake, run, toEvent } = await open()
    const issue = await fake.openIssue({})
    const comment = await issue.comment('ann', '@nura where?')
    await fake.delete()
    expect(await run(toEvent(fake, 'issue', issue.number, comment))).toMatch(/^(?:gone|failed:)/)
  })
})
