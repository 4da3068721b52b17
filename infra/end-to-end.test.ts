import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createFakeWorkspace, toVisible } from '#bot/testing/fake-slack-methods.ts'
import type { FakeMessage } from '#bot/testing/fake-slack-methods.ts'
import { startFakeSlack } from '#bot/testing/fake-slack.ts'
import type { FakeSlack } from '#bot/testing/fake-slack.ts'
import { say, slackEvent, toRequest } from '#bot/testing/slack-event.ts'
import { readTestServer } from '#db/testing/config.ts'
import { createRepository } from '#server/testing/create-repository.ts'
import type { TestRepository } from '#server/testing/create-repository.ts'
import { openOwnStores } from './testing/open-own-stores.ts'
import type { OwnStores } from './testing/open-own-stores.ts'
import { startProcess } from './testing/processes.ts'
import type { NuraProcess } from './testing/processes.ts'
import { shopFiles } from './testing/shop-files.ts'
import { startDeployment } from './testing/start-deployment.ts'
import type { Deployment, ServiceEnv } from './testing/start-deployment.ts'
import { until } from './testing/until.ts'

/** Whole processes start and are waited for here, on machines that do other things too. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

/** The main job on the running process: a signed mention becomes a cited answer in the thread, whatever happens meanwhile. */
const signingSecret = 'a-signing-secret-of-slack'
let stores: OwnStores
let slack: FakeSlack
let repository: TestRepository
let folder: string
let env: ServiceEnv
/** The process that Slack talks to: everything in one on embedded stores, on servers the bot of a deployment. */
let nura: NuraProcess
const script = readTestServer() ? 'bot/main.ts' : 'infra/local.ts'
let beside: Deployment | undefined

beforeAll(async () => {
  repository = await createRepository({
    'src/webhooks/verify-signature.ts': shopFiles['src/verify-signature.ts'],
    'src/webhooks/receive.ts': "import { verifySignature } from './verify-signature.ts'\n\nexport function receive(body: Buffer, signature: string) {\n  if (!verifySignature(body, signature, 'secret')) throw new Error('unsigned')\n}\n",
    'README.md': '# Shop\n\nWebhooks arrive at `/hooks` and are verified before they are read.\n',
  })
  slack = await startFakeSlack(createFakeWorkspace())
  folder = await mkdtemp(join(tmpdir(), 'nura-e2e-'))
  stores = await openOwnStores()
  env = {
    NURA_DATA_DIR: join(folder, 'data'),
    NURA_REPOSITORY: repository.dir,
    NURA_SERVICE_SECRET: 'a service secret that is long enough to be one',
    NURA_ENCRYPTION_KEY: Buffer.alloc(32, 3).toString('base64'),
    SLACK_SIGNING_SECRET: signingSecret,
    SLACK_BOT_TOKEN: 'xoxb-fake-token',
    SLACK_API_URL: slack.url,
    ...stores.env,
  }
  if (readTestServer()) {
    beside = await startDeployment(env, repository.dir)
    env = beside.botEnv
  }
  nura = await startProcess(script, env)
})

afterAll(async () => {
  await nura?.end('SIGTERM')
  await beside?.close()
  await slack?.close()
  await repository?.[Symbol.asyncDispose]()
  await stores?.close()
  if (folder) await rm(folder, { recursive: true, force: true })
})

test('a mention is answered in its thread: status, stream, citations, buttons', async () => {
  const mention = ask('where do we verify webhook signatures?')
  expect((await send(slackEvent(slack.workspace, mention, 'app_mention'))).status).toBe(200)

  const reply = await finished(mention)
  expect(slack.workspace.statuses.some(({ thread, status }) => thread === mention.ts && status !== '')).toBe(true)
  expect(slack.callsOf('chat.startStream').map(({ args }) => args.thread_ts)).toContain(mention.ts)
  const seen = toVisible(reply)
  expect(seen).toContain('verifySignature')
  expect(seen).toMatch(/\[1\]/)
  expect(seen).toContain('src/webhooks/verify-signature.ts')
  expect(buttons(reply).length).toBeGreaterThanOrEqual(2)
})

test('the same event five times at once is answered once', async () => {
  const mention = ask('what is verified before webhooks are read?')
  const event = slackEvent(slack.workspace, mention, 'app_mention')
  const answers = await Promise.all(Array.from({ length: 5 }, (_, at) => send(event, at === 0 ? {} : { 'x-slack-retry-num': String(at), 'x-slack-retry-reason': 'http_timeout' })))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])

  await finished(mention)
  await settled()
  expect(replies(mention)).toHaveLength(1)
})

test('a wrong signature is 401 and nobody hears of it', async () => {
  const mention = ask('who are you?')
  const before = slack.calls.length
  const forged = toRequest('another secret altogether', slackEvent(slack.workspace, mention, 'app_mention'))
  expect((await fetch(`${nura.url}/slack/events`, forged)).status).toBe(401)
  await settled()
  expect(replies(mention)).toHaveLength(0)
  expect(slack.calls.slice(before).filter(({ method }) => method.startsWith('chat.'))).toEqual([])
})

test('killed between acceptance and reply, restarted: exactly one visible reply', async () => {
  const mention = ask('where is the signature of a webhook verified?')
  const killed = new Promise<void>((resolve) => {
    slack.before('chat.startStream', async () => {
      slack.before('chat.startStream', () => undefined)
      await nura.end('SIGKILL')
      resolve()
      throw new Error('the caller is gone')
    })
  })
  expect((await send(slackEvent(slack.workspace, mention, 'app_mention'))).status).toBe(200)
  await killed
  expect(replies(mention)).toHaveLength(0)

  nura = await startProcess(script, env)
  await finished(mention)
  // Longer than the sweeper leaves a row alone and looks again.
  await settled(9_000)
  expect(replies(mention)).toHaveLength(1)
})

test('SIGTERM ends it cleanly, and the next start embeds nothing', async () => {
  expect(await nura.end('SIGTERM')).toBe(0)
  expect(nura.output()).not.toMatch(/Unhandled|    at /)
  nura = await startProcess(script, env)
  if (!readTestServer()) expect(nura.output()).toContain('nothing embedded')
  const mention = ask('where do we verify webhook signatures, once more?')
  await send(slackEvent(slack.workspace, mention, 'app_mention'))
  await finished(mention)
})

function ask(question: string): FakeMessage {
  return say(slack.workspace, { text: `<@${slack.workspace.botUserId}> ${question}` })
}

function send(event: Record<string, unknown>, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${nura.url}/slack/events`, toRequest(signingSecret, event, headers))
}

function replies(mention: FakeMessage): FakeMessage[] {
  return slack.workspace.messages.filter(({ thread_ts, user }) => thread_ts === mention.ts && user === slack.workspace.botUserId)
}

/** The first reply of the thread, when its stream has ended and its buttons are there. */
function finished(mention: FakeMessage): Promise<FakeMessage> {
  return until(() => `a finished reply; ${nura.output().slice(-1500)}`, () => replies(mention).find((reply) => !reply.streaming && reply.blocks.length > 0))
}

/** Waits until Slack has heard nothing for a while, so that a second reply that must not come had its time. */
async function settled(quietMs = 2_000): Promise<void> {
  const last = slack.calls.length
  await new Promise((resolve) => setTimeout(resolve, quietMs))
  if (slack.calls.length !== last) await settled(quietMs)
}

function buttons(message: FakeMessage): unknown[] {
  return message.blocks.flatMap((block) => (['actions', 'context_actions'].includes(block.type) ? (block.elements as unknown[]) : []))
}
