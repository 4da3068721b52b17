import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { signAsSlack } from '#bot/testing/sign-as-slack.ts'
import { startFakeCollector } from '#server/testing/fake-collector.ts'
import type { FakeCollector } from '#server/testing/fake-collector.ts'
import { startFakeLangsmith } from '#server/testing/fake-langsmith.ts'
import type { FakeLangsmith } from '#server/testing/fake-langsmith.ts'
import { startFakeOpenai } from '#server/testing/fake-openai.ts'
import type { FakeOpenai } from '#server/testing/fake-openai.ts'
import { toServiceToken } from '../../testing/start-deployment.ts'
import { startSlackDeployment } from '../../testing/start-slack-deployment.ts'
import type { SlackDeployment } from '../../testing/start-slack-deployment.ts'
import { until } from '../../testing/until.ts'
import { createDraw, fill, pick } from './draw.ts'

/** Whole processes start and are waited for here, on machines that do other things too. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

/** What the processes tell of themselves to whoever operates them, while everything that is sent to them is marked. */
const draw = createDraw(42)
const secret = 'a service secret that is long enough to be one'
let collector: FakeCollector
let langsmith: FakeLangsmith
let openai: FakeOpenai
let nura: SlackDeployment

beforeAll(async () => {
  ;[collector, langsmith, openai] = await Promise.all([startFakeCollector(), startFakeLangsmith(), startFakeOpenai()])
  nura = await startSlackDeployment({
    files: { 'src/door.ts': `/** Opens the door: ${marked()}. */\nexport function openDoor() {\n  return knock('${marked()}')\n}\n` },
    env: {
      OPENAI_API_KEY: 'a key of the model',
      OPENAI_BASE_URL: openai.url,
      ...Object.fromEntries(['DEV', 'PM', 'ARCHITECT'].map((agent) => [`${agent}_MODELS`, 'openai:fake-chat'])),
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '100',
      LANGSMITH_TRACING: 'true',
      LANGSMITH_API_KEY: 'a key of the traces',
      LANGSMITH_ENDPOINT: langsmith.url,
      LOG_LEVEL: 'trace',
      NURA_LIMIT_ASKER: 'off',
      NURA_LIMIT_TENANT: 'off',
    },
  })
})

afterAll(async () => {
  await nura?.close()
  for (const fake of [collector, langsmith, openai]) await fake?.close()
})

/** A word, an address of a person or a token, none of which may be told. */
function marked(): string {
  return fill(pick(['canary{a12}', 'jane.canary{a6}@acme-{a6}.dev', 'ghp_canary{A30}', 'sk-ant-api03-canary{w87}AA', 'xoxb-{d12}-{d12}-canary{A18}'], draw), draw)
}

type Sent = { path: string; method?: string; headers?: Record<string, string>; body?: string }

/** Requests as they come from outside: right ones, wrong ones, and what no client of ours would send. */
const requests: (() => Sent)[] = [
  () => ({ path: `/v1/search`, method: 'POST', body: JSON.stringify({ question: `where is the door of ${marked()}` }) }),
  () => ({ path: `/v1/search?${marked()}=${encodeURIComponent(marked())}`, method: 'POST', body: `{"question": ${marked()}` }),
  () => ({ path: '/v1/ask', method: 'POST', body: JSON.stringify({ question: { text: marked() }, [marked()]: marked(), audience: { kind: marked(), id: marked() } }) }),
  () => ({ path: '/v1/ask', method: 'POST', body: JSON.stringify({ question: `who is ${marked()}`, agent: marked(), thread: `api:${marked()}` }) }),
  () => ({ path: `/v1/threads/${encodeURIComponent(marked())}` }),
  () => ({ path: `/v1/repositories/${encodeURIComponent(marked())}`, method: 'DELETE' }),
  () => ({ path: '/v1/repositories', method: 'POST', body: JSON.stringify({ path: `/${marked()}`, url: `https://${marked()}:${marked()}@example.com/${marked()}` }) }),
  () => ({ path: `/v1/documents?name=${encodeURIComponent(marked())}&library=${encodeURIComponent(marked())}`, method: 'POST', headers: { 'content-type': `text/${marked().replaceAll(/[@_]/g, '-')}` }, body: marked() }),
  () => ({ path: `/${encodeURIComponent(marked())}?token=${encodeURIComponent(marked())}`, headers: { cookie: `session=${marked()}`, referer: `https://${marked()}/`, 'user-agent': marked() } }),
  () => ({ path: '/v1/usage', headers: { authorization: `Bearer ${marked()}` } }),
  () => ({ path: '/v1/usage', headers: { authorization: `Basic ${Buffer.from(`${marked()}:${marked()}`).toString('base64')}`, traceparent: `00-${marked()}-01`, 'x-nura-trace': fill('ghp_{A36}', draw) } }),
]

/** What comes to the bot, rightly signed, wrongly, or of a shape that Slack does not send. */
const events: (() => Sent)[] = [
  () => toSlack(JSON.stringify({ type: 'event_callback', team_id: marked(), event_id: marked(), event: { type: 'app_mention', user: marked(), text: marked(), channel: marked(), ts: marked() } })),
  () => toSlack(`{"type": "event_callback", "text": ${marked()}`),
  () => ({ ...toSlack(JSON.stringify({ text: marked() })), headers: { 'content-type': 'application/json', 'x-slack-signature': `v0=${marked()}`, 'x-slack-request-timestamp': marked() } }),
  () => toSlack(new URLSearchParams({ command: '/nura', text: marked(), user_name: marked(), team_id: marked(), response_url: `https://${marked()}/` }).toString(), 'application/x-www-form-urlencoded'),
  () => toSlack(new URLSearchParams({ payload: `{"type": "block_actions", "user": {"name": "${marked()}"}, "actions": [{"value": "${marked()}"}]}` }).toString(), 'application/x-www-form-urlencoded'),
]

function toSlack(body: string, type = 'application/json'): Sent {
  return { path: '/slack/events', method: 'POST', headers: { ...signAsSlack('a-signing-secret-of-slack', body), 'content-type': type }, body }
}

async function send(root: string, { path, method = 'GET', headers = {}, body }: Sent, bearer: string): Promise<number> {
  const all = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json', ...headers }
  const response = await fetch(`${root}${path}`, { method, headers: all, ...(body === undefined ? {} : { body }) })
  await response.text()
  return response.status
}

test('T42: five hundred requests full of names, tokens and canaries leave none in logs, labels or traces', async () => {
  const bearer = await toServiceToken(secret)
  const statuses = new Map<number, number>()
  for (let sent = 0; sent < 500; sent += 10) {
    const batch = Array.from({ length: 10 }, (_, at) => ((sent + at) % 4 === 3 ? send(nura.url, pick(events, draw)(), bearer) : send(nura.apiUrl, pick(requests, draw)(), bearer)))
    for (const status of await Promise.all(batch)) statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }
  // A turn that is answered, and one whose model repeats what it was asked in its refusal.
  await nura.finished(await nura.ask(`where is the door of ${marked()} opened, asks ${marked()}?`))
  openai.fault = { kind: 'status', status: 400, message: `Refused ${marked()}`, code: marked() }
  await send(nura.apiUrl, { path: '/v1/ask', method: 'POST', body: JSON.stringify({ question: `and the other door of ${marked()}?` }) }, bearer)
  await until('traces of the turn', () => collector.spans.some(({ name }) => name === 'turn') && langsmith.runs.size > 0)

  // Some were taken, some refused, and none broke anything.
  expect([...statuses.keys()].toSorted()).toEqual(expect.arrayContaining([200, 400, 401, 404]))
  expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([])
  const metrics = await Promise.all([...new Set([nura.url, nura.apiUrl])].map(async (root) => (await fetch(`${root}/metrics`)).text()))
  const told = { logs: nura.output(), metrics: metrics.join('\n'), spans: JSON.stringify(collector.spans), traces: langsmith.seen() }
  for (const [place, text] of Object.entries(told)) {
    expect(text.length, place).toBeGreaterThan(1000)
    const found = text.split('\n').filter((line) => /canary|ghp_[A-Za-z0-9]{36}|[\w.]+@acme-/i.test(line))
    expect(found.map((line) => line.slice(0, 600)), place).toEqual([])
  }
})
