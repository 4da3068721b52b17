import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestDb } from '#db/testing/open-test-db.ts'
import { sampleDone, shortAnswer } from './testing/fake-ask-server.ts'
import type { FakeMessage } from './testing/fake-slack-methods.ts'
import { openTestBot } from './testing/open-test-bot.ts'
import type { TestBot } from './testing/open-test-bot.ts'
import { clickEvent, deleteEvent, say, slackEvent } from './testing/slack-event.ts'

let db: Awaited<ReturnType<typeof openTestDb>>
let nura: TestBot
let count = 0
beforeAll(async () => {
  db = await openTestDb()
  nura = await openTestBot(db)
  nura.server.script = (asked) => [...shortAnswer(asked.retell ? `Told for the ${asked.agent} [1].` : 'It is in `verify` [1].', `retold-${++count}`).slice(0, -1), { ...sampleDone(`retold-${count}`), agent: asked.agent ?? 'dev' }]
})
afterAll(async () => {
  await nura?.close()
  await db?.close()
})

async function ask(): Promise<FakeMessage> {
  const question = say(nura.slack.workspace, { text: '<@U0NURABOT> where do we verify signatures?' })
  await nura.send(slackEvent(nura.slack.workspace, question, 'app_mention'))
  await nura.idle()
  return question
}

type Menu = { action_id: string; options: { value: string; text: { text: string } }[] }

/** Chooses in the menu below a reply, as somebody who reads along. */
async function choose(reply: FakeMessage, title: string): Promise<void> {
  const menus = (reply.blocks ?? []).filter(({ type }) => type === 'actions').flatMap(({ elements }) => elements as Menu[])
  const option = menus.find(({ action_id: id }) => id === 'lens')!.options.find(({ text }) => text.text === title)!
  const clicks = await countRows(`kind = 'action'`)
  await nura.send(clickEvent(nura.slack.workspace, reply, { actionId: 'lens', value: option.value, user: 'U0BOB' }))
  // A click is carried out at once beside the queue, and what it asks for comes after it.
  await expect.poll(() => countRows(`kind = 'action' and state = 'done'`)).toBe(clicks + 1)
  await nura.idle()
}

const countRows = async (where: string) => (await db.control((tx) => tx.query<{ rows: number }>(`select count(*)::int as rows from inbox where ${where}`)))[0]!.rows

it('tells an answer again below it as the agent that was chosen, for whoever reads along, once however often it is chosen', async () => {
  const question = await ask()
  const [reply] = nura.replies(question.ts)
  await choose(reply!, 'As PM')
  await choose(reply!, 'As PM')
  expect(nura.seen(question.ts)).toHaveLength(2)
  expect(nura.seen(question.ts)[1]).toContain('Told for the pm')
  expect(nura.server.asked.at(-1)).toMatchObject({ agent: 'pm', retell: `retold-${count - 1}`, audience: { kind: 'channel' } })
  expect(nura.server.asked.at(-1)).not.toHaveProperty('context')
  await choose(reply!, 'As Architect')
  expect(nura.seen(question.ts)[2]).toContain('Told for the architect')
})

it('brings nobody back into a thread that was muted', async () => {
  const question = await ask()
  const word = say(nura.slack.workspace, { text: 'mute', thread: question.ts })
  await nura.send(slackEvent(nura.slack.workspace, word, 'message'))
  await nura.idle()
  await choose(nura.replies(question.ts)[0]!, 'As PM')
  expect(nura.seen(question.ts).at(-1)).toContain('Told for the pm')
  expect([...nura.server.threads.values()].at(-1)).toMatchObject({ muted: true })
})

it('goes with its question', async () => {
  const question = await ask()
  await choose(nura.replies(question.ts)[0]!, 'As PM')
  const ids = nura.server.asked.slice(-2).map((_, at) => `retold-${count - 1 + at}`)
  await nura.send(deleteEvent(nura.slack.workspace, question))
  await nura.idle()
  expect(nura.seen(question.ts)).toEqual([])
  expect([...nura.server.forgotten]).toEqual(expect.arrayContaining(ids))
})
