import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFakeWorkspace } from '../testing/fake-slack-methods.ts'
import { startFakeSlack } from '../testing/fake-slack.ts'
import type { FakeSlack } from '../testing/fake-slack.ts'
import { createSlackCall } from './call.ts'

let slack: FakeSlack
beforeAll(async () => {
  slack = await startFakeSlack(createFakeWorkspace({ token: 'xoxb-call' }))
})
afterAll(() => slack?.close())

/** A caller whose clock does not run: what happens is listed in order. */
function open() {
  const events: string[] = []
  const pause = async (ms: number) => void events.push(`pause ${ms}`)
  const call = createSlackCall({ token: 'xoxb-call', apiUrl: slack.url, log: pino({ level: 'silent' }), pause })
  for (const method of ['chat.postMessage', 'users.info']) slack.before(method, ({ args }) => void events.push(typeof args.text === 'string' ? `${method} ${args.text}` : method))
  return { call, events }
}

describe('a call that Slack asks to wait', () => {
  it('waits as long as Slack says, then is made again, before those that came later to that channel', async () => {
    const { call, events } = open()
    slack.fail('chat.postMessage', { kind: 'ratelimited', seconds: 7 })
    await Promise.all(['one', 'two'].map((text) => call('chat.postMessage', { channel: 'C0GENERAL', text })))
    expect(events).toEqual(['chat.postMessage one', 'pause 7000', 'chat.postMessage one', 'chat.postMessage two'])
  })

  it('fails at once where it may not wait, or not for so long', async () => {
    const { call, events } = open()
    slack.fail('users.info', { kind: 'ratelimited', seconds: 7 }, 2)
    for (const patience of [0, 5]) await expect(call('users.info', { user: 'U0ALICE' }, { patience })).rejects.toMatchObject({ code: 'slack-ratelimited', retryable: true })
    expect(events).toEqual(['users.info', 'users.info'])
  })
})
