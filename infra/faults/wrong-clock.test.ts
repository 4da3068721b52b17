import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createFakeWorkspace } from '#bot/testing/fake-slack-methods.ts'
import { startFakeSlack } from '#bot/testing/fake-slack.ts'
import type { FakeSlack } from '#bot/testing/fake-slack.ts'
import { say, slackEvent, toRequest } from '#bot/testing/slack-event.ts'
import { createRepository } from '#server/testing/create-repository.ts'
import type { TestRepository } from '#server/testing/create-repository.ts'
import { startProcess } from '../testing/processes.ts'
import type { NuraProcess } from '../testing/processes.ts'
import { toServiceToken } from '../testing/start-deployment.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const signingSecret = 'a-signing-secret-of-slack'
const secret = 'a service secret that is long enough to be one'

/** Loaded before everything else: the process lives that many minutes away from everybody. */
function toWrongClock(minutes: number): string {
  const code = `const now = Date.now; const off = ${minutes} * 60_000; Date.now = () => now() + off; globalThis.Date = new Proxy(Date, { construct: (Real, args) => (args.length ? new Real(...args) : new Real(Date.now())) })`
  return `--import data:text/javascript,${encodeURIComponent(code)}`
}

describe.each([10, -10])('F27: a process whose clock is %i minutes off', (minutes) => {
  let slack: FakeSlack
  let repository: TestRepository
  let folder: string
  let nura: NuraProcess

  beforeAll(async () => {
    ;[slack, repository, folder] = await Promise.all([startFakeSlack(createFakeWorkspace()), createRepository({ 'README.md': '# Shop\n' }), mkdtemp(join(tmpdir(), 'nura-clock-'))])
    nura = await startProcess('infra/local.ts', {
      NODE_OPTIONS: toWrongClock(minutes),
      NURA_DATA_DIR: join(folder, 'data'),
      NURA_REPOSITORY: repository.dir,
      NURA_SERVICE_SECRET: secret,
      NURA_ENCRYPTION_KEY: Buffer.alloc(32, 5).toString('base64'),
      SLACK_SIGNING_SECRET: signingSecret,
      SLACK_BOT_TOKEN: 'xoxb-fake-token',
      SLACK_API_URL: slack.url,
    })
  })
  afterAll(async () => {
    await nura?.end('SIGTERM')
    await Promise.all([slack?.close(), repository?.[Symbol.asyncDispose]()])
    await rm(folder, { recursive: true, force: true })
  })

  test('believes no signature of Slack, and says that it may be the clock', async () => {
    const mention = say(slack.workspace, { text: `<@${slack.workspace.botUserId}> hello?` })
    const response = await fetch(`${nura.url}/slack/events`, toRequest(signingSecret, slackEvent(slack.workspace, mention, 'app_mention')))
    expect(response.status).toBe(401)
    await expect.poll(() => nura.output()).toMatch(/clock of this machine is wrong/)
    expect(slack.callsOf('chat.postMessage')).toEqual([])
  })

  test('believes no service token', async () => {
    const response = await fetch(`${nura.url}/v1/repositories`, { headers: { authorization: `Bearer ${await toServiceToken(secret)}` } })
    expect(response.status).toBe(401)
  })
})
