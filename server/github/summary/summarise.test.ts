import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { NuraError } from '#db/nura-error.ts'
import { savePullRequest } from '#db/tenant/pull-requests.ts'
import { readUsage, saveModelCalls } from '#db/tenant/usage.ts'
import { createExtractive } from '../../models/extractive.ts'
import { openTestGithub } from '../../testing/open-test-github.ts'
import type { TestGithub } from '../../testing/open-test-github.ts'
import { createSaidModel, openSummaryRig } from './testing/open-summary-rig.ts'
import type { SummaryRig } from './testing/open-summary-rig.ts'

/** Each test pushes to real repositories, on machines that do other things too. */
vi.setConfig({ testTimeout: 300_000 })

let setup: TestGithub
beforeAll(async () => {
  setup = await openTestGithub()
})
afterAll(() => setup.close())
afterEach(() => setup.github.clearFaults())

const files = { 'src/pay.ts': 'export function pay(order: Order) {\n  return charge(order)\n}\n', 'src/pay.test.ts': 'test("pays")\n' }
const pay = (body: string) => ({ 'src/pay.ts': `export function pay(order: Order) {\n  ${body}\n  return charge(order)\n}\n` })

async function open({ say, ...options }: { say?: Parameters<typeof createSaidModel>[0] } & Partial<Parameters<typeof openSummaryRig>[1]> = {}) {
  const model = createSaidModel(say ?? (() => `Orders are checked before they are paid [1].`))
  const rig = await openSummaryRig(setup, { files, models: [model], ...options })
  const pull = await rig.fake.openPull({ branch: 'check', files: pay('check(order)'), title: 'Check orders', author: 'ada' })
  return { ...rig, model, pull }
}

const postComment = /\/issues\/\d+\/comments$/
const posts = (rig: Pick<SummaryRig, 'calls'>) => rig.calls('POST', postComment)

describe('one comment', () => {
  test('is made once and then kept current, however many pushes and comments there are', async () => {
    const rig = await open()
    for (let at = 0; at < 101; at++) await rig.pull.comment('bob', `Remark ${at}`)
    await rig.run(rig.pull)
    for (let push = 0; push < 4; push++) {
      await rig.pull.push(pay(`check(order, ${push})`))
      await rig.run(rig.pull)
    }
    const [comment, ...others] = rig.ours(rig.pull)
    expect(others).toEqual([])
    expect(comment!.body).toContain(`at \`${rig.pull.pull.head.sha.slice(0, 7)}\``)
    expect(rig.writes()).toEqual([`POST issues/${rig.pull.number}/comments`, ...Array.from({ length: 4 }, () => 'PATCH issues/comments/:id')])
    expect(rig.calls('GET', postComment)).toEqual([])
  })

  test('is written for a head once, and anew when the base branch is another one', async () => {
    const rig = await open()
    await rig.run(rig.pull)
    await rig.run(rig.pull)
    expect(rig.model.requests).toHaveLength(1)
    await rig.fake.git('branch', 'next', 'main')
    rig.pull.pull.base.ref = 'next'
    await rig.run(rig.pull)
    expect(rig.model.requests).toHaveLength(2)
  })

  test('comes back once after a person deleted it, on the next head', async () => {
    const rig = await open()
    await rig.run(rig.pull)
    await rig.pull.deleteComment(rig.ours(rig.pull)[0]!.id, 'ada')
    await rig.run(rig.pull)
    expect(rig.ours(rig.pull)).toEqual([])
    await rig.pull.push(pay('check(order, 1)'))
    await rig.run(rig.pull)
    expect(rig.ours(rig.pull)).toHaveLength(1)
    await rig.pull.deleteComment(rig.ours(rig.pull)[0]!.id, 'ada')
    await rig.pull.push(pay('check(order, 2)'))
    await rig.run(rig.pull)
    await rig.pull.push(pay('check(order, 3)'))
    await rig.run(rig.pull)
    expect(rig.ours(rig.pull)).toEqual([])
    expect(posts(rig)).toHaveLength(2)
    // Nobody pays for what nobody will see.
    expect(rig.model.requests).toHaveLength(2)
  })

  test('does not come back where the settings say so', async () => {
    const rig = await open()
    await rig.settings({ settings: { recreate: false } })
    await rig.run(rig.pull)
    await rig.pull.deleteComment(rig.ours(rig.pull)[0]!.id, 'ada')
    await rig.pull.push(pay('check(order, 1)'))
    await rig.run(rig.pull)
    expect([posts(rig).length, rig.model.requests.length]).toEqual([1, 1])
  })

  test('is not doubled when GitHub made it and answered 502', async () => {
    const rig = await open()
    setup.github.fail({ method: 'POST', path: postComment }, { kind: 'status', status: 502, commits: true })
    await rig.run(rig.pull)
    expect(rig.ours(rig.pull)).toHaveLength(1)
    expect([posts(rig).length, rig.calls('GET', postComment).length]).toEqual([1, 1])
    expect((await rig.row(rig.pull)).commentId).toBe(rig.ours(rig.pull)[0]!.id)
  })

  test('is made by the next attempt when nobody could tell, without asking the model again', async () => {
    const rig = await open()
    for (const commits of [false, true]) setup.github.fail({ method: 'POST', path: postComment }, { kind: 'drop', commits })
    await expect(rig.run(rig.pull)).rejects.toMatchObject({ code: 'github-unavailable', retryable: true })
    await rig.run(rig.pull, { attempt: 2 })
    expect(rig.ours(rig.pull)).toHaveLength(1)
    expect(posts(rig)).toHaveLength(2)
    expect(rig.model.requests).toHaveLength(1)
  })

  test('is told from comments that carry its marker by who wrote it', async () => {
    const rig = await open({ say: () => 'It checks orders [1]. <!-- nura:11111111-1111-4111-8111-111111111111 --> -->' })
    const { marker } = await savePullRequest(rig.tenant, { repositoryId: rig.repositoryId, number: rig.pull.number })
    const spoofed = await rig.pull.comment('mallory', `Mine\n\n<!-- nura:${marker} -->`)
    for (const commits of [false, true]) setup.github.fail({ method: 'POST', path: postComment }, { kind: 'drop', commits })
    await expect(rig.run(rig.pull)).rejects.toMatchObject({ code: 'github-unavailable' })
    await rig.run(rig.pull, { attempt: 2 })
    await rig.pull.push(pay('check(order, 1)'))
    await rig.run(rig.pull)
    expect(spoofed.body).toBe(`Mine\n\n<!-- nura:${marker} -->`)
    const [ours, ...others] = rig.ours(rig.pull)
    expect(others).toEqual([])
    expect(ours!.body.match(/<!--|-->/g)).toEqual(['<!--', '-->'])
    expect(ours!.body.endsWith(`<!-- nura:${marker} -->`)).toBe(true)
  })
})

describe('a pull request that moves on', () => {
  test('ends the run for its old head before anything is shown', async () => {
    let asked = 0
    const rig = await open({
      async say(_, signal) {
        if (asked++ > 0) return 'Orders are checked [1].'
        await rig.pull.push(pay('check(order, 2)'))
        await savePullRequest(rig.tenant, { repositoryId: rig.repositoryId, number: rig.pull.number, headSha: rig.pull.pull.head.sha })
        return await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
      },
    })
    const old = rig.pull.pull.head.sha
    await rig.run(rig.pull)
    expect(rig.ours(rig.pull)).toEqual([])
    expect(rig.queued.map(({ name }) => name)).toEqual(['summarise-pull-request'])
    await rig.run(rig.pull)
    expect(rig.ours(rig.pull)[0]!.body).not.toContain(old.slice(0, 7))
    expect((await rig.row(rig.pull)).summarisedSha).toBe(rig.pull.pull.head.sha)
  })

  test('is found out before the post where no hint came', async () => {
    const rig = await open({
      async say() {
        if (rig.model.requests.length === 1) await rig.pull.push(pay('check(order, 2)'))
        return 'Orders are checked [1].'
      },
    })
    await rig.run(rig.pull)
    expect(rig.writes()).toEqual([])
    expect(rig.queued).toHaveLength(1)
  })

  test('is not taken to have moved because a late delivery says so', async () => {
    const rig = await open({
      async say() {
        await savePullRequest(rig.tenant, { repositoryId: rig.repositoryId, number: rig.pull.number, headSha: 'f'.repeat(40) })
        const reads = () => rig.calls('GET', /\/pulls\/\d+$/).length
        const before = reads()
        while (reads() === before) await new Promise((resolve) => setTimeout(resolve, 5))
        return 'Orders are checked [1].'
      },
    })
    await rig.run(rig.pull)
    expect(rig.ours(rig.pull)).toHaveLength(1)
    expect(rig.queued).toEqual([])
  })

  test('keeps its distance from the run before', async () => {
    const rig = await open({ env: { GITHUB_SUMMARY_INTERVAL: '30' } })
    await rig.run(rig.pull)
    const { runStartedAt } = await rig.row(rig.pull)
    await rig.pull.push(pay('check(order, 2)'))
    const calls = setup.github.calls.length
    await expect(rig.run(rig.pull)).rejects.toMatchObject({ code: 'summary-too-soon', retryAt: new Date(runStartedAt!.getTime() + 30_000) })
    expect(setup.github.calls).toHaveLength(calls)
    expect(rig.model.requests).toHaveLength(1)
  })
})

test.each<[string, (rig: Awaited<ReturnType<typeof open>>) => Promise<unknown>]>([
  ['a draft', ({ pull }) => pull.setDraft(true)],
  ['a closed one', ({ pull }) => pull.close()],
  ['a merged one', ({ pull }) => pull.merge()],
  ['one with the label', ({ pull }) => pull.label('nura:skip')],
  ['one of a repository that wants none', ({ settings }) => settings({ settings: { summarise: false } })],
  ['one of a repository that is being forgotten', ({ settings }) => settings({ state: 'forgetting' })],
])('nothing is said on %s', async (_, change) => {
  const rig = await open()
  await change(rig)
  await rig.run(rig.pull)
  expect(rig.writes()).toEqual([])
  expect(rig.model.requests).toEqual([])
})

test('nothing is said on one of a bot', async () => {
  const rig = await open()
  setup.github.world.account('renovate[bot]', 'Bot')
  await rig.run(await rig.fake.openPull({ branch: 'bump', files: pay('bump()'), author: 'renovate[bot]' }))
  expect(rig.writes()).toEqual([])
  expect(rig.model.requests).toEqual([])
})

describe('a failure', () => {
  const away = () => Promise.reject(new NuraError('model-unavailable', 'The model is away.', { retryable: true }))

  test('is shown after the last attempt, once, above the last good summary, until the next success', async () => {
    const rig = await open()
    await rig.run(rig.pull)
    const good = rig.pull.pull.head.sha.slice(0, 7)
    const bad = (await rig.pull.push(pay('check(order, 1)'))).slice(0, 7)
    const well = rig.model.say
    rig.model.say = away
    await expect(rig.run(rig.pull)).rejects.toMatchObject({ code: 'model-unavailable' })
    expect(rig.ours(rig.pull)[0]!.body).not.toContain('failed')
    await expect(rig.run(rig.pull, { attempt: 5, lastAttempt: true })).rejects.toMatchObject({ code: 'model-unavailable' })
    const shown = rig.ours(rig.pull)[0]!.body
    expect(shown).toMatch(new RegExp(`^> The summary of \`${bad}\` failed \\(ref [0-9A-F]{6}\\)\\. Below is the one of \`${good}\`\\.\n\n`))
    expect(shown).toContain(`Covered 1 of 1 file at \`${good}\``)
    await expect(rig.run(rig.pull, { attempt: 5, lastAttempt: true })).rejects.toMatchObject({ code: 'model-unavailable' })
    expect(rig.ours(rig.pull)[0]!.body).toBe(shown)
    rig.model.say = well
    await rig.run(rig.pull)
    expect(rig.ours(rig.pull)).toHaveLength(1)
    expect(rig.ours(rig.pull)[0]!.body).not.toContain('failed')
    expect(await rig.row(rig.pull)).toMatchObject({ failedSha: null, failure: null, summarisedSha: rig.pull.pull.head.sha })
  })

  test('is shown on a pull request that has no summary yet', async () => {
    const rig = await open({ say: away })
    await expect(rig.run(rig.pull, { attempt: 5, lastAttempt: true })).rejects.toMatchObject({ code: 'model-unavailable' })
    expect(rig.ours(rig.pull).map(({ body }) => body)).toEqual([expect.stringMatching(/^> The summary of `[0-9a-f]{7}` failed \(ref [0-9A-F]{6}\)\.\n\n<!-- nura:/)])
    const calls = await readUsage(rig.tenant, new Date(0))
    expect(calls).toMatchObject([{ agent: 'summary', provider: 'said', calls: 1 }])
  })

  test('is none where the chain has a model that needs no key', async () => {
    const model = createSaidModel(away)
    const rig = await open({ models: [model, createExtractive()] })
    await rig.run(rig.pull)
    expect(rig.ours(rig.pull)[0]!.body).toContain('No language model answers just now')
  })

  test('that is a rate limit says nothing and waits', async () => {
    const rig = await open()
    setup.github.fail({ method: 'GET', path: /\/files$/ }, { kind: 'secondary', seconds: 30 })
    await expect(rig.run(rig.pull, { lastAttempt: true })).rejects.toMatchObject({ code: 'github-rate-limited', retryAt: expect.any(Date) as Date })
    expect(rig.writes()).toEqual([])
    expect(rig.model.requests).toEqual([])
  })
})

test('a day whose budget is spent gets facts, a line that says so, and no call of a model', async () => {
  const rig = await open({ dayTokens: 100 })
  await saveModelCalls(rig.tenant, [{ answerId: null, agent: 'dev', provider: 'said', model: 'said:default', outcome: 'answered', inputTokens: 90, outputTokens: 10, costUsd: 0, milliseconds: 1 }])
  await rig.run(rig.pull)
  expect(rig.model.requests).toEqual([])
  expect(rig.ours(rig.pull)[0]!.body).toMatch(/Changes `pay`[^]*budget for language models is used up/)
})

test('a fault of the settings is told once', async () => {
  const rig = await open()
  await rig.settings({ settingsFault: 'The settings are not in force: line 3.', settingsSha: 'blob-1' })
  await rig.run(rig.pull)
  expect(rig.ours(rig.pull)[0]!.body).toContain('The settings are not in force: line 3.')
  await rig.pull.push(pay('check(order, 1)'))
  await rig.run(rig.pull)
  expect(rig.ours(rig.pull)[0]!.body).not.toContain('not in force')
  expect((await rig.repository()).settingsToldSha).toBe('blob-1')
})

test('files that the settings leave out are named and not read', async () => {
  const rig = await open()
  await rig.settings({ settings: { summarise: ['docs/**'] } })
  await rig.pull.push({ 'docs/pay.md': '# Paying\n\nOrders are checked.\n' })
  await rig.run(rig.pull)
  expect(rig.ours(rig.pull)[0]!.body).toContain('Covered 1 of 2 files')
  expect(rig.ours(rig.pull)[0]!.body).toContain('1 file left out by .nura.yml: `src/pay.ts`')
  expect(JSON.stringify(rig.model.requests)).not.toContain('check(order)')
})
