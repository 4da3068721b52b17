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
import { startFakeCollector } from '#server/testing/fake-collector.ts'
import type { FakeCollector, FakeSpan } from '#server/testing/fake-collector.ts'
import { startFakeLangsmith } from '#server/testing/fake-langsmith.ts'
import type { FakeLangsmith } from '#server/testing/fake-langsmith.ts'
import { startFakeOpenai } from '#server/testing/fake-openai.ts'
import type { FakeOpenai } from '#server/testing/fake-openai.ts'
import { openOwnStores } from './testing/open-own-stores.ts'
import type { OwnStores } from './testing/open-own-stores.ts'
import { startProcess } from './testing/processes.ts'
import type { NuraProcess } from './testing/processes.ts'
import { startDeployment } from './testing/start-deployment.ts'
import type { Deployment, ServiceEnv } from './testing/start-deployment.ts'
import { until } from './testing/until.ts'

/** Whole processes start and are waited for here. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

/** What a turn tells of itself to the outside, on the running processes: everything in one, or on servers the three of a deployment. */
const signingSecret = 'canary-signing-secret'
const canary = /canary/i
let stores: OwnStores
let slack: FakeSlack
let collector: FakeCollector
let langsmith: FakeLangsmith
let openai: FakeOpenai
let repository: TestRepository
let folder: string
/** The process that Slack talks to. */
let nura: NuraProcess
let beside: Deployment | undefined
let traced: FakeSpan[] = []

beforeAll(async () => {
  repository = await createRepository({
    'src/canary-path/verify-signature.ts': '/** Verifies the signature of a webhook: canary-passage. */\nexport function verifySignature(body: Buffer, signature: string): boolean {\n  return canaryCode(body) === signature\n}\n',
    'README.md': '# Shop\n\nWebhooks arrive at `/hooks` and are verified before they are read: canary-document.\n',
  })
  slack = await startFakeSlack(createFakeWorkspace({ token: 'xoxb-canary-token' }))
  collector = await startFakeCollector()
  langsmith = await startFakeLangsmith()
  openai = await startFakeOpenai({ apiKey: 'sk-canary-of-openai', reply: () => 'It is canary-answer who verifies it [1].\n' })
  folder = await mkdtemp(join(tmpdir(), 'nura-tracing-'))
  stores = await openOwnStores()
  const env: ServiceEnv = {
    NURA_DATA_DIR: join(folder, 'data'),
    NURA_REPOSITORY: repository.dir,
    NURA_SERVICE_SECRET: 'canary: a service secret that is long enough',
    NURA_ENCRYPTION_KEY: Buffer.alloc(32, 3).toString('base64'),
    SLACK_SIGNING_SECRET: signingSecret,
    SLACK_BOT_TOKEN: 'xoxb-canary-token',
    SLACK_API_URL: slack.url,
    OPENAI_API_KEY: 'sk-canary-of-openai',
    OPENAI_BASE_URL: openai.url,
    DEV_MODELS: 'openai:fake-chat',
    PM_MODELS: 'openai:fake-chat',
    ARCHITECT_MODELS: 'openai:fake-chat',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '100',
    LANGSMITH_TRACING: 'true',
    LANGSMITH_API_KEY: 'lsv2-canary-key',
    LANGSMITH_ENDPOINT: langsmith.url,
    ...stores.env,
  }
  if (readTestServer()) beside = await startDeployment(env, repository.dir)
  nura = await startProcess(beside ? 'bot/main.ts' : 'infra/local.ts', beside?.botEnv ?? env)
})

afterAll(async () => {
  await nura?.end('SIGTERM')
  await beside?.close()
  for (const fake of [slack, collector, langsmith, openai]) await fake?.close()
  await repository?.[Symbol.asyncDispose]()
  await stores?.close()
  if (folder) await rm(folder, { recursive: true, force: true })
})

test('one mention is one trace, from the webhook to the reply', async () => {
  const said = say(slack.workspace, { text: 'canary-context: the webhooks broke again' })
  const reply = await ask('where does canary-question verify the signature of a webhook?', said.ts)
  expect(toVisible(reply)).toContain('canary-answer')

  const root = await until('the receipt and its turn', () => collector.spans.find(({ name, traceId }) => name === 'receive' && collector.spans.some((span) => span.name === 'job answer-turn' && span.traceId === traceId)))
  traced = collector.spans.filter(({ traceId }) => traceId === root.traceId)
  const parents = new Map(traced.map((span) => [span.name, nameOf(span.parentSpanId)]))
  expect(Object.fromEntries(parents)).toMatchObject({
    receive: null,
    'job answer-turn': 'receive',
    turn: 'job answer-turn',
    ask: 'turn',
    deliver: 'turn',
    'POST /v1/ask': 'ask',
    'answer question': 'POST /v1/ask',
    'node choose': 'answer question',
    'node retrieve': 'answer question',
    'node answer': 'answer question',
    'node check': 'answer question',
    'leg vector': 'node retrieve',
    'leg bm25': 'node retrieve',
    'leg file': 'node retrieve',
    'leg symbol': 'node retrieve',
    'leg path': 'node retrieve',
    'chat fake-chat': 'node answer',
    'store answer': 'answer question',
  })
  expect([...parents].find(([name]) => name.startsWith('embeddings '))?.[1]).toBe('leg vector')
  // Every span of the trace hangs below another one of it.
  expect(traced.filter(({ parentSpanId }) => nameOf(parentSpanId) === null).map(({ name }) => name)).toEqual(['receive'])
  expect(traced.filter(({ status }) => status === 2)).toEqual([])
  expect(new Set(traced.map(({ service }) => service))).toEqual(new Set(beside ? ['nura-bot', 'nura-server'] : ['nura-local']))
  expect(find('chat fake-chat').attributes).toMatchObject({ 'gen_ai.system': 'openai', 'gen_ai.request.model': 'fake-chat', 'gen_ai.usage.input_tokens': 900, 'gen_ai.usage.output_tokens': 60 })
  expect(find('turn').attributes).toMatchObject({ 'nura.surface': 'slack', 'nura.outcome': 'answered', 'nura.agent': expect.any(String) })
  expect(find('turn').events.concat(find('deliver').events).map(({ name }) => name)).toEqual(expect.arrayContaining(['status shown', 'page shown']))
})

test('the lines of the turn, in every process, carry the id of its trace', () => {
  const [{ traceId }] = traced as [FakeSpan]
  const lines = [nura.output(), beside?.server.output() ?? ''].join('\n').split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []))
  const told = lines.filter(({ trace }) => trace === traceId).map(({ msg }) => msg)
  expect(told).toEqual(expect.arrayContaining(['turn ended', 'answer stored', 'answered', 'request']))
})

test('LangSmith hears of the run in the project of its tenant', async () => {
  const runs = await until('the runs', () => (langsmith.runs.size >= 6 ? [...langsmith.runs.values()] : undefined))
  expect(new Set(runs.map(({ session_name }) => session_name))).toEqual(new Set(['nura-local']))
  expect(runs.map(({ name }) => name)).toEqual(expect.arrayContaining(['answer question', 'retrieve', 'chat fake-chat']))
})

test('nobody outside hears a word of it', () => {
  for (const word of ['canary-question', 'canary-context', 'canary-passage', 'canary-path']) expect(openai.seen()).toContain(word)
  expect(collector.requests.length).toBeGreaterThan(0)
  expect(collector.seen()).not.toMatch(canary)
  expect(langsmith.seen()).not.toMatch(canary)
})

test('a collector and a LangSmith that hang keep no answer, and no end', async () => {
  collector.mode = langsmith.mode = 'hang'
  const before = collector.requests.length
  for (const question of ['who calls verifySignature?', 'where are webhooks verified?']) expect(toVisible(await ask(question))).toContain('canary-answer')
  await until('spans to be sent in vain', () => collector.requests.length > before)
  expect(await nura.end('SIGTERM')).toBe(0)
})

async function ask(question: string, thread?: string): Promise<FakeMessage> {
  const mention = say(slack.workspace, { text: `<@${slack.workspace.botUserId}> ${question}`, ...(thread ? { thread } : {}) })
  const response = await fetch(`${nura.url}/slack/events`, toRequest(signingSecret, slackEvent(slack.workspace, mention, 'app_mention')))
  expect(response.status).toBe(200)
  const isReply = ({ thread_ts, user, streaming, blocks }: FakeMessage) => thread_ts === (thread ?? mention.ts) && user === slack.workspace.botUserId && !streaming && blocks.length > 0
  return until(() => `a finished reply; ${nura.output().slice(-1500)}`, () => slack.workspace.messages.find(isReply))
}

function find(name: string): FakeSpan {
  return traced.find((span) => span.name === name)!
}

function nameOf(spanId: string | undefined): string | null {
  return traced.find((span) => span.spanId === spanId)?.name ?? null
}
