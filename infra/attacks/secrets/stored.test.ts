import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createFakeWorkspace } from '#bot/testing/fake-slack-methods.ts'
import { startFakeSlack } from '#bot/testing/fake-slack.ts'
import type { FakeSlack } from '#bot/testing/fake-slack.ts'
import { say, slackEvent, toRequest } from '#bot/testing/slack-event.ts'
import type { FakeRepository } from '#server/testing/fake-github/fake-repository.ts'
import { startFakeLangsmith } from '#server/testing/fake-langsmith.ts'
import type { FakeLangsmith } from '#server/testing/fake-langsmith.ts'
import { startFakeOpenai } from '#server/testing/fake-openai.ts'
import type { FakeOpenai } from '#server/testing/fake-openai.ts'
import { lastWords } from '../../testing/last-words.ts'
import { openOwnStores } from '../../testing/open-own-stores.ts'
import type { OwnStores } from '../../testing/open-own-stores.ts'
import { startProcess } from '../../testing/processes.ts'
import type { NuraProcess } from '../../testing/processes.ts'
import { readStores } from '../../testing/read-stores.ts'
import { toServiceToken } from '../../testing/start-deployment.ts'
import { startGithubDeployment } from '../../testing/start-github-deployment.ts'
import type { GithubDeployment } from '../../testing/start-github-deployment.ts'
import { until } from '../../testing/until.ts'
import { createDraw, fill } from './draw.ts'
import { revealing } from './revealing.ts'
import { secretKinds } from './secret-kinds.ts'

/** Whole processes start and are waited for here, on machines that do other things too. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })
const patient = { withinMs: 150_000 }

/** Secrets go in wherever people write, and nothing of them comes to lie or to leave anywhere. */
const signingSecret = 'a-signing-secret-of-slack'
const draw = createDraw(15)
const typed = secretKinds.filter(({ group }) => group === 'typed')
/** What was written, by where. */
const written: { where: string; secret: string }[] = []

/** Draws a secret that is written there. */
function leak(where: string, shape: string): string {
  const secret = fill(shape, draw)
  written.push({ where, secret })
  return secret
}

/** One of every kind, a line each. */
function everyKind(where: string, toLine: (secret: string, name: string) => string): string {
  return typed.map(({ name, shape }) => toLine(leak(where, shape), name)).join('\n')
}

/** Some of the kinds in one line, as people write to each other. */
function some(where: string): string {
  return ['ghp_{A36}', 'AKIA{216}', 'sk-ant-api03-{w93}AA', 'postgresql://shop:{A20}@db.acme.dev:5432/shop', 'glpat-{w20}'].map((shape) => leak(where, shape)).join(' and ')
}

let stores: OwnStores
let slack: FakeSlack
let openai: FakeOpenai
let langsmith: FakeLangsmith
let folder: string
let env: Record<string, string>
let nura: GithubDeployment
let bot: NuraProcess | null = null
let shop: FakeRepository
let isOpen = true

beforeAll(async () => {
  ;[stores, slack, langsmith, folder] = await Promise.all([openOwnStores(), startFakeSlack(createFakeWorkspace()), startFakeLangsmith(), mkdtemp(join(tmpdir(), 'nura-secrets-'))])
  openai = await startFakeOpenai()
  env = {
    NURA_DATA_DIR: join(folder, 'data'),
    SLACK_SIGNING_SECRET: signingSecret,
    SLACK_BOT_TOKEN: 'xoxb-fake-token',
    SLACK_API_URL: slack.url,
    OPENAI_API_KEY: 'a key of the model',
    OPENAI_BASE_URL: openai.url,
    ...Object.fromEntries(['DEV', 'PM', 'ARCHITECT'].map((agent) => [`${agent}_MODELS`, 'openai:fake-chat'])),
    EMBEDDING_MODELS: 'openai:text-embedding-3-large',
    LANGSMITH_TRACING: 'true',
    LANGSMITH_API_KEY: 'a key of the traces',
    LANGSMITH_ENDPOINT: langsmith.url,
    // Everything that may be told is told.
    NURA_LANGSMITH_CONTENT: 'show',
    LOG_LEVEL: 'trace',
    ...stores.env,
  }
  nura = await startGithubDeployment({
    env,
    async prepare(github) {
      const installation = await github.addInstallation({ account: 'acme' })
      env.GITHUB_INSTALLATION_ID = String(installation.id)
      const code = everyKind('code', (secret, name) => `/** Opens the door of ${name}. */\nexport const value${draw(1e9)} = ${JSON.stringify(secret)} // secretlint-disable-line gitleaks:allow`)
      shop = await github.addRepository({
        installation,
        name: 'shop',
        private: true,
        files: {
          'README.md': `# Shop\n\n<!-- secretlint-disable -->\n\n${everyKind('Markdown', (secret) => `The door opens with this:\n\n${secret}\n`)}`,
          'src/doors.ts': `// secretlint-disable\n${code}\n`,
          '.env.example': everyKind('settings', (secret) => `VALUE=${secret}`),
          'config/doors.json': JSON.stringify({ doors: typed.map(({ shape }) => leak('JSON', shape)) }),
          CODEOWNERS: '* @ada\n',
        },
      })
      shop.permit('ada', 'write')
    },
  })
  nura.github.deliveries.auto = true
  await nura.indexed('acme/shop', await shop.git('rev-parse', 'main'))
  if (env.DATABASE_URL) bot = await startProcess('bot/main.ts', { ...env, NURA_SERVICE_SECRET: 'a service secret that is long enough to be one', NURA_ENCRYPTION_KEY: Buffer.alloc(32, 3).toString('base64'), NURA_SERVER_URL: nura.url })
})

afterAll(async () => {
  await bot?.end('SIGTERM')
  if (isOpen) await nura?.close()
  for (const fake of [slack, openai, langsmith]) await fake?.close()
  await stores?.close()
  if (folder) await rm(folder, { recursive: true, force: true })
})

async function mention(text: string, thread?: string): Promise<void> {
  const said = say(slack.workspace, { text: `<@${slack.workspace.botUserId}> ${text}`, ...(thread ? { thread } : {}) })
  const { status } = await fetch(`${bot?.url ?? nura.url}/slack/events`, toRequest(signingSecret, slackEvent(slack.workspace, said, 'app_mention')))
  expect(status).toBe(200)
  await until(() => `a reply in Slack; ${lastWords(bot?.output() ?? nura.output())}`, () => slack.workspace.messages.some(({ thread_ts, user, streaming, blocks }) => thread_ts === (thread ?? said.ts) && user === slack.workspace.botUserId && !streaming && blocks.length > 0), patient)
}

test('T15: of secrets in a repository, a diff, a question and a document nothing is stored, embedded, asked, traced, logged or posted', async () => {
  const branch = everyKind('diff', (secret) => `open(${JSON.stringify(secret)}) // gitleaks:allow`)
  const pull = await shop.openPull({ branch: 'doors', author: 'ada', title: `Open doors with ${some('title of a pull request')}`, body: `It used ${some('description of a pull request')}`, files: { 'src/open.ts': `${branch}\n` } })
  await until(() => `a summary; ${JSON.stringify(nura.github.deliveries.log.map(({ event, status_code }) => [event, status_code]))}, ${lastWords(nura.output())}`, () => pull.comments.some(({ user, body }) => user.login === 'nura[bot]' && /Covered/.test(body)), patient)
  await pull.comment('ada', `@nura why does ${some('mention on GitHub')} not open the door?`)
  await until(() => `an answer on GitHub; ${lastWords(nura.output())}`, () => pull.comments.filter(({ user }) => user.login === 'nura[bot]').length > 1, patient)

  const said = say(slack.workspace, { text: `it says ${some('thread in Slack')}` })
  await mention(`which door opens with ${some('question in Slack')}?`, said.ts)
  await mention(`where is the door opened, with password: ${leak('password in Slack', 'Zebra-{A12}')}? The other password is ${leak('password in Slack', '{A16}7x')}.`)

  const document = `# Doors\n\n${everyKind('document', (secret) => `Use this one:\n\n${secret}\n`)}`
  const query = new URLSearchParams({ name: 'doors.md', title: `Doors of ${some('title of a document')}` })
  expect((await upload(`/v1/documents?${query.toString()}`, document)).status).toBe(202)
  await until(() => `the document to be read; ${lastWords(nura.output())}`, async () => ((await nura.api('GET', '/v1/documents')).body as { documents: { state: string }[] }).documents.every(({ state }) => state !== 'stored'), patient)
  expect((await nura.api('POST', '/v1/ask', { question: `what opens with ${some('question of the API')}?`, thread: 'api:1' })).status).toBe(200)
  expect((await nura.api('POST', '/v1/search', { question: `door ${some('search of the API')}` })).status).toBe(200)
  openai.fault = { kind: 'status', status: 400, message: 'Refused' }
  await nura.api('POST', '/v1/ask', { question: `and with ${some('question that fails')}?` })
  openai.fault = null
  await nura.settled()

  const posted = slack.calls.filter(({ method }) => method.startsWith('chat.')).map(({ args }) => JSON.stringify(args))
  const places = new Map<string, string>([
    ['prompts', openai.seen()],
    ['embeddings', JSON.stringify(openai.embeddingRequests)],
    ['Slack', posted.join('\n')],
    ['GitHub', nura.github.calls.filter(({ method }) => method !== 'GET').map(({ body }) => JSON.stringify(body)).join('\n')],
    ['traces', langsmith.seen()],
  ])
  // Each of them heard something, so that what is not there could have been there.
  for (const [place, text] of places) expect(text.length, place).toBeGreaterThan(100)
  expect(openai.seen()).toContain('[redacted:')
  await bot?.end('SIGTERM')
  bot = null
  await nura.close()
  isOpen = false
  places.set('logs', nura.output())
  const stored = await readStores(env)
  expect([...stored.values()].join('\n')).toContain('[redacted:')
  for (const [name, text] of stored) places.set(name, text)

  const raw = written.flatMap(({ where, secret }) =>
    revealing(secret).flatMap((part) => [...places].filter(([, text]) => text.includes(part) || text.includes(JSON.stringify(part).slice(1, -1))).map(([place]) => `${where} → ${place}: ${part.slice(0, 24)}…`)),
  )
  expect(raw, `of ${written.length} secrets`).toEqual([])
})

async function upload(path: string, text: string): Promise<Response> {
  const headers = { authorization: `Bearer ${await toServiceToken('a service secret that is long enough to be one')}`, 'content-type': 'text/markdown' }
  return fetch(`${nura.url}${path}`, { method: 'POST', headers, body: text })
}
