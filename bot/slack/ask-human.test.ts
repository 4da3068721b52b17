import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestDb } from '#db/testing/open-test-db.ts'
import { readBotEnv } from '../config.ts'
import { sampleDone, shortAnswer } from '../testing/fake-ask-server.ts'
import type { FakeMessage } from '../testing/fake-slack-methods.ts'
import { openTestBot } from '../testing/open-test-bot.ts'
import type { TestBot } from '../testing/open-test-bot.ts'
import { clickEvent, say, slackEvent } from '../testing/slack-event.ts'

let db: Awaited<ReturnType<typeof openTestDb>>
let nura: TestBot
beforeAll(async () => {
  db = await openTestDb()
  nura = await openTestBot(db, { env: { SLACK_HELP_GROUP: 'S0HELPERS' } })
})
afterAll(async () => {
  await nura?.close()
  await db?.close()
})

type Button = { action_id?: string; value?: string; confirm?: unknown }
const buttonsOf = (message: FakeMessage | undefined) => (message?.blocks ?? []).filter(({ type }) => type === 'actions').flatMap(({ elements }) => elements as Button[])
const namesOf = (message: FakeMessage | undefined) => buttonsOf(message).map(({ action_id: id }) => id)
const valueOf = (message: FakeMessage | undefined, name: string) => buttonsOf(message).find(({ action_id: id }) => id === name)?.value ?? ''

/** Asks what the repositories do not know. */
async function abstained(own = nura, channel = 'C0GENERAL'): Promise<{ root: FakeMessage; reply: FakeMessage }> {
  own.server.script = () => [{ kind: 'text', markdown: 'I could not find this. Ask <!subteam^S0EVIL> or <!here>.' }, { ...sampleDone(), abstained: true }]
  const root = say(own.slack.workspace, { channel, text: '<@U0NURABOT> who knows?' })
  await own.send(slackEvent(own.slack.workspace, root, 'app_mention'))
  await own.idle()
  return { root, reply: own.replies(root.ts, channel)[0] as FakeMessage }
}
const click = (message: FakeMessage, actionId: string, value: string, user = 'U0ALICE') => nura.send(clickEvent(nura.slack.workspace, message, { actionId, value, user }))
const calls = (root: FakeMessage) => nura.replies(root.ts).filter(({ metadata }) => metadata?.event_type === 'nura_help')

it('«Ask a human» stands below an answer that found nothing, and asks before it pings', async () => {
  const { reply } = await abstained()
  expect(namesOf(reply)).toEqual(['why', 'ask-human'])
  expect(buttonsOf(reply)[1]?.confirm).toBeDefined()
})

it('is not offered below an answer, in a direct conversation, or without a group', async () => {
  nura.server.script = () => shortAnswer()
  const root = say(nura.slack.workspace, { text: '<@U0NURABOT> where?' })
  await nura.send(slackEvent(nura.slack.workspace, root, 'app_mention'))
  await nura.idle()
  expect(namesOf(nura.replies(root.ts)[0])).toEqual(['why', 'lens'])
  expect(namesOf((await abstained(nura, 'D0ALICE')).reply)).toEqual(['why'])
  const without = await openTestBot(db)
  try {
    expect(namesOf((await abstained(without)).reply)).toEqual(['why'])
  } finally {
    await without.close()
  }
})

it('calls the configured group once, for the asker alone, and lets anyone mark it resolved', async () => {
  const { root, reply } = await abstained()
  const value = valueOf(reply, 'ask-human')
  await click(reply, 'ask-human', value, 'U0BOB')
  await expect.poll(() => nura.slack.workspace.ephemerals.at(-1)?.text).toContain('Only the person who asked')
  expect(calls(root)).toEqual([])
  await Promise.all([1, 2, 3].map(() => click(reply, 'ask-human', value)))
  await expect.poll(() => calls(root).length).toBe(1)
  await expect.poll(() => nura.slack.workspace.ephemerals.filter(({ text }) => text.startsWith('Help has been called')).length).toBe(2)
  const [call] = calls(root)
  expect(call?.text).toBe(':sos: <!subteam^S0HELPERS> asked by <@U0ALICE>')
  await click(call as FakeMessage, 'resolve-help', valueOf(call, 'resolve-help'), 'U0BOB')
  await expect.poll(() => call?.text).toBe(':white_check_mark: Resolved by <@U0BOB> · asked by <@U0ALICE>')
  expect(namesOf(call)).toEqual([])
  expect(calls(root)).toHaveLength(1)
})

it('tells those it calls who may know, and pings none of these', async () => {
  nura.server.whoKnows = 'Might know: `@acme/payments` (CODEOWNERS of `src/`), <!here> <@U0BOB> & Ada.'
  try {
    const { root, reply } = await abstained()
    await click(reply, 'ask-human', valueOf(reply, 'ask-human'))
    await expect.poll(() => calls(root).length).toBe(1)
    expect(calls(root)[0]?.text).toBe(':sos: <!subteam^S0HELPERS> asked by <@U0ALICE>\nMight know: `@acme/payments` (CODEOWNERS of `src/`), &lt;!here&gt; &lt;@U0BOB&gt; &amp; Ada.')
  } finally {
    nura.server.whoKnows = null
  }
})

it('lets no other mention through', async () => {
  const { root, reply } = await abstained()
  await click(reply, 'ask-human', valueOf(reply, 'ask-human'))
  await expect.poll(() => calls(root).length).toBe(1)
  const posted = nura.slack.calls.map(({ args }) => JSON.stringify(args)).join('\n')
  expect(new Set(posted.match(/<![^>]*>/g))).toEqual(new Set(['<!subteam^S0HELPERS>']))
})

it('pings nobody twice when Slack does not say whether it posted', async () => {
  const { root, reply } = await abstained()
  nura.slack.fail('chat.postMessage', { kind: 'status', status: 500, commits: true })
  await click(reply, 'ask-human', valueOf(reply, 'ask-human'))
  const row = async () => (await db.control((tx) => tx.query<{ id: string; state: string; attempts: number }>(`select id, state, attempts from inbox where payload->>'id' = $1`, [`call-help:${valueOf(reply, 'ask-human')}`])))[0]
  await expect.poll(row).toMatchObject({ state: 'accepted', attempts: 1 })
  await nura.bot.runTurn((await row())?.id ?? '', { signal: new AbortController().signal, lastAttempt: true })
  expect(await row()).toMatchObject({ state: 'done' })
  expect(calls(root)).toHaveLength(1)
})

it.each(['C0GENERAL', 'S', 's0helpers', '<!here>', 'S0HELPERS> <!here'])('takes no group that is none: %s', (group) => {
  expect(() => readBotEnv({ SLACK_HELP_GROUP: group })).toThrow(/SLACK_HELP_GROUP.*user group/)
})
