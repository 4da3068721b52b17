import { createHmac, randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { signAsSlack } from '#bot/testing/sign-as-slack.ts'
import { say as sayInSlack, slackEvent, toRequest } from '#bot/testing/slack-event.ts'
import { messageActivity, toTeamsRequest } from '#bot/testing/teams-activity.ts'
import type { Attack, Figure } from './attack.ts'
import { send } from '../testing/send.ts'
import type { Answered, Sent } from '../testing/send.ts'
import { toServiceToken } from '../testing/start-deployment.ts'
import { startEveryDoor } from '../testing/start-every-door.ts'
import type { EveryDoor } from '../testing/start-every-door.ts'

/** Open files that a process may have, and its heap: it must shed before either is used up. The embedded store keeps hundreds of files open. */
const files = 600
const heapMb = 256
const json = { 'content-type': 'application/json' }
const megabyte = 1024 * 1024

type Counts = Record<string, number>
type Size = { slow: number; /** Whether the limits of time that end them are waited for. */ isSlowToTheEnd: boolean; aborted: number; large: number; bombs: number }

export const crowds: Attack = {
  name: 'crowds',
  tries: 'crowds the doors with slow, aborted, large and nested requests, on few files and a small heap',
  async run({ seed, long, say }) {
    const nura = await startEveryDoor({ start: { files, node: [`--max-old-space-size=${heapMb}`] } })
    const size: Size = long ? { slow: 500, isSlowToTheEnd: true, aborted: 2_000, large: 200, bombs: 20 } : { slow: 400, isSlowToTheEnd: false, aborted: 60, large: 12, bombs: 1 }
    const died: string[] = []
    for (const each of nura.processes) void each.ended.then((how) => died.push(String(how)))
    try {
      const figures: Figure[] = []
      for (const crowd of [bombs, slow, aborted, large, floods]) {
        const measured = await crowd(nura, size, seed)
        for (const { measure, value } of measured) say(`${measure}: ${value}`)
        figures.push(...measured)
      }
      const after = await answers(nura)
      figures.push({ measure: 'answered afterwards', value: after, bound: '200', holds: after === '200' })
      figures.push({ measure: 'processes that ended', value: String(died.length), bound: '0', holds: died.length === 0 })
      const escaped = nura.output().split('\n').filter((line) => /unhandled|uncaught|FATAL|EMFILE|"type":"(Type|Range|Syntax|Reference)Error"/i.test(line))
      for (const line of escaped.slice(0, 5)) say(`  escaped: ${line.slice(0, 400)}`)
      figures.push({ measure: 'errors of the program in its log', value: String(escaped.length), bound: '0', holds: escaped.length === 0 })
      return figures
    } finally {
      await nura.close()
    }
  },
}

/** What a parser chokes on, at each door and signed: nested ten thousand deep, ten megabytes, keys of JavaScript, compressed. */
async function bombs(nura: EveryDoor, { bombs: times }: Size): Promise<Figure[]> {
  const deep = '['.repeat(10_000) + ']'.repeat(10_000)
  const bodies: Record<string, Buffer | string> = {
    'depth 10,000': `{"question":${deep},"event":${deep},"type":${deep}}`,
    'depth 10,000 in objects': `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
    '10 MB': JSON.stringify({ question: 'x'.repeat(10 * megabyte) }),
    // Of 50 MB, in 50 kB.
    gzip: gzipSync(Buffer.alloc(50 * megabyte, 0x20)),
    'evil for regular expressions': JSON.stringify({ question: `AKIA${'A'.repeat(5_000)}${'-----BEGIN '.repeat(5_000)}${'a@'.repeat(20_000)}!`, type: 1 }),
    __proto__: '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}},"question":1}',
  }
  const wrong: string[] = []
  let sent = 0
  for (let time = 0; time < times; time++) {
    for (const [name, body] of Object.entries(bodies)) {
      for (const door of await doorsFor(nura, body, name === 'gzip' ? { 'content-encoding': 'gzip' } : {})) {
        const { status } = await send(nura.url(door.of), door.sent)
        sent++
        // What a platform has signed and is not what it documents is taken and forgotten.
        if (!(status >= 400 && status < 500) && !(door.isForgiving && status >= 200 && status < 300)) wrong.push(`${status} for ${name} at ${door.sent.path}`)
      }
    }
  }
  return [{ measure: 'bombs that were not refused or forgotten', value: wrong.length === 0 ? `0 of ${sent}` : wrong.join('; '), bound: '0', holds: wrong.length === 0 }]
}

async function doorsFor(nura: EveryDoor, body: Buffer | string, extra: Record<string, string>): Promise<{ of: 'api' | 'bot'; sent: Sent; isForgiving: boolean }[]> {
  const authorization = await toBearer(nura)
  const post = (path: string, headers: Record<string, string>): Sent => ({ method: 'POST', path, headers: { ...json, ...headers, ...extra }, body })
  return [
    { of: 'api', sent: post('/v1/ask', { authorization }), isForgiving: false },
    { of: 'api', sent: post('/v1/repositories', { authorization }), isForgiving: false },
    { of: 'api', sent: post('/github/webhooks', signAsGithub(nura, body)), isForgiving: true },
    { of: 'bot', sent: post('/slack/events', signAsSlack(nura.signingSecret, body)), isForgiving: true },
    { of: 'bot', sent: post('/api/messages', { authorization: `Bearer ${await nura.identity.sign({ serviceurl: nura.serviceUrl })}` }), isForgiving: true },
  ]
}

/** More connections than there are files, each of which sends a byte now and then. Meanwhile others are answered; in the end all are closed. */
async function slow(nura: EveryDoor, { slow: many, isSlowToTheEnd }: Size): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const of of nura.processes.length === 1 ? (['api'] as const) : (['api', 'bot'] as const)) {
    const { port, hostname } = new URL(nura.url(of))
    const open = new Set<Socket>()
    let at = 0
    for (let each = 0; each < many; each++) {
      const socket = connect(Number(port), hostname)
      open.add(socket)
      socket.on('error', () => undefined).on('close', () => open.delete(socket))
      // One half never ends its headers, the other its body.
      socket.write(each % 2 === 0 ? 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ' : 'POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n')
    }
    const drip = setInterval(() => open.forEach((socket) => socket.write(String(at++ % 10))), 1_000)
    const meanwhile: string[] = []
    let left = many
    try {
      await sleep(1_500)
      for (const end = Date.now() + (isSlowToTheEnd ? 90_000 : 5_000); open.size > 0 && Date.now() < end; await sleep(500)) meanwhile.push(await answers(nura, of))
    } finally {
      left = open.size
      clearInterval(drip)
      for (const socket of open) socket.destroy()
    }
    const answered = meanwhile.filter((status) => status === '200').length
    const odd = meanwhile.filter((status) => status !== '200' && status !== '503' && status !== '0')
    if (isSlowToTheEnd) figures.push({ measure: `${many} slow connections (${of}) still open after 90 s`, value: String(left), bound: '0', holds: left === 0 })
    figures.push({ measure: `others while ${many} are slow (${of})`, value: `${answered} answered, ${meanwhile.length - answered} told to come again`, bound: 'some answered, none otherwise', holds: answered > 0 && odd.length === 0 })
  }
  return figures
}

/** Requests with a mark each, of which many are given up at any moment: each answer is the one to its question. */
async function aborted(nura: EveryDoor, { aborted: many }: Size, seed: number): Promise<Figure[]> {
  const authorization = await toBearer(nura)
  const draw = createDraw(seed)
  let crossed = 0
  let whole = 0
  let cut = 0
  const codes: Counts = {}
  const left = Array.from({ length: many }, (_, at) => at).values()
  await Promise.all(
    Array.from({ length: 12 }, async () => {
      for (const at of left) {
        const mark = `slack:T${at}:C${draw()}`
        const isCut = at % 2 === 1
        const stop = new AbortController()
        const timer = isCut ? setTimeout(() => stop.abort(), draw() % 200) : undefined
        // The key comes back in the answer.
        const answered = await fetch(`${nura.url('api')}/v1/threads/${encodeURIComponent(mark)}`, { method: 'PATCH', headers: { ...json, authorization, 'x-nura-trace': `trace-${at}-of-many` }, body: '{"muted":true}', signal: stop.signal }).then(
          async (response) => ({ status: response.status, text: await response.text() }),
          () => null,
        ).catch(() => null)
        clearTimeout(timer)
        if (answered === null) cut++
        else if (answered.status !== 200) codes[answered.status] = (codes[answered.status] ?? 0) + 1
        else if (answered.text.includes(`"${mark}"`)) whole++
        else crossed++
      }
    }),
  )
  const others = Object.entries(codes).map(([status, count]) => `, ${count} × ${status}`).join('')
  return [{ measure: 'answers that belong to another question', value: `${crossed}; ${whole} right, ${cut} given up${others}`, bound: '0; some right', holds: crossed === 0 && whole > 0 && Object.keys(codes).every((status) => status === '503') }]
}

/** Large bodies at once: documents of 50 MB, and as many deliveries of 24 MB that nobody signed. */
async function large(nura: EveryDoor, { large: many }: Size): Promise<Figure[]> {
  const authorization = await toBearer(nura)
  const document = Buffer.alloc(45 * megabyte, 'A line of a long handbook.\n')
  const delivery = Buffer.alloc(24 * megabyte, 0x20)
  const answered = await Promise.all(
    Array.from({ length: many }, (_, at): Promise<Answered> => {
      const unsigned = { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}`, 'x-github-event': 'push', 'x-github-delivery': randomUUID() }
      if (at % 2 === 0) return send(nura.url('api'), { method: 'POST', path: '/github/webhooks', headers: { ...json, ...unsigned }, body: delivery })
      // Of no type that is read: it is held like any other, and refused once it is there.
      return send(nura.url('api'), { method: 'POST', path: `/v1/documents?name=large-${at}.bin`, headers: { 'content-type': 'application/octet-stream', authorization }, body: document })
    }),
  )
  const counts = countBy(answered)
  const isTold = answered.every(({ status, headers }) => status !== 503 || Number(headers['retry-after']) > 0)
  const isOdd = Object.keys(counts).some((status) => !['400', '401', '413', '415', '503', '0'].includes(status))
  return [
    { measure: `${many} bodies of 24 and 45 MB at once`, value: show(counts), bound: 'refused for what they are, or 503 with the time to come again', holds: !isOdd && isTold },
  ]
}

/** A message of more than a megabyte on each platform, and a question of a hundred thousand characters. */
async function floods(nura: EveryDoor): Promise<Figure[]> {
  const { workspace } = nura.slack
  const long = 'why '.repeat(300_000)
  const mention = sayInSlack(workspace, { text: `<@${workspace.botUserId}> ${long}` })
  const cut = sayInSlack(workspace, { text: `<@${workspace.botUserId}> ${long.slice(0, 500_000)}` })
  const issue = await nura.shop.openIssue({ title: 'Long', author: 'acme' })
  const comment = await issue.comment('acme', `@nura ${long}`)
  const event = nura.github.event('issue_comment', nura.github.payloads.issueComment('created', nura.shop, issue, comment))
  const head = await nura.shop.git('rev-parse', 'HEAD')
  const pushed = (await nura.github.payloads.push(nura.shop, { ref: 'refs/heads/main', before: head, after: head })) as Record<string, unknown>
  const files10k = Array.from({ length: 10_000 }, (_, at) => `src/deep/file-${at}.ts`)
  const push = nura.github.event('push', { ...pushed, commits: [{ id: head, message: 'All of it', added: files10k, removed: [], modified: files10k }] })
  const post = (path: string, { headers, body }: { headers: Record<string, string>; body: string | Buffer }): Sent => ({ method: 'POST', path, headers, body })
  const teams = await toTeamsRequest(nura.identity, messageActivity({ text: long, serviceUrl: nura.serviceUrl }))
  const asked = { headers: { ...json, authorization: await toBearer(nura) }, body: JSON.stringify({ question: 'x'.repeat(100_000) }) }
  const answered = {
    'Slack, 1.2 MB': await send(nura.url('bot'), post('/slack/events', toRequest(nura.signingSecret, slackEvent(workspace, mention, 'app_mention')))),
    'Slack, 500 kB': await send(nura.url('bot'), post('/slack/events', toRequest(nura.signingSecret, slackEvent(workspace, cut, 'app_mention')))),
    'Teams, 1.2 MB': await send(nura.url('bot'), post('/api/messages', teams)),
    'GitHub, 1.2 MB': await send(nura.url('api'), post('/github/webhooks', { headers: { ...json, ...event.headers }, body: event.rawBody })),
    'push of 10,000 files': await send(nura.url('api'), post('/github/webhooks', { headers: { ...json, ...push.headers }, body: push.rawBody })),
    'question of 100,000 characters': await send(nura.url('api'), post('/v1/ask', asked)),
  }
  const isSettled = await nura.settled(120_000)
  const replies = workspace.messages.filter(({ thread_ts: thread, user }) => thread === cut.ts && user === workspace.botUserId)
  const expected: Record<string, number> = { 'Slack, 1.2 MB': 413, 'Slack, 500 kB': 200, 'Teams, 1.2 MB': 413, 'GitHub, 1.2 MB': 202, 'push of 10,000 files': 202, 'question of 100,000 characters': 400 }
  const isRight = Object.entries(answered).every(([name, { status }]) => status === expected[name])
  return [
    { measure: 'long messages', value: Object.entries(answered).map(([name, { status }]) => `${name}: ${status}`).join(', '), bound: 'refused, or taken', holds: isRight },
    { measure: 'replies to what was taken of 500 kB, and all of it ended', value: `${replies.length}, ${isSettled ? 'yes' : 'no'}`, bound: '1, yes', holds: replies.length === 1 && isSettled },
  ]
}

async function answers(nura: EveryDoor, of: 'api' | 'bot' = 'api'): Promise<string> {
  return String((await send(nura.url(of), { method: 'GET', path: '/healthz', headers: { connection: 'close' } })).status)
}

function signAsGithub({ github }: EveryDoor, body: Buffer | string): Record<string, string> {
  return { 'x-github-event': 'push', 'x-github-delivery': randomUUID(), 'x-hub-signature-256': `sha256=${createHmac('sha256', github.app.webhookSecret).update(body).digest('hex')}` }
}

const toBearer = async ({ serviceSecret }: EveryDoor) => `Bearer ${await toServiceToken(serviceSecret)}`

function countBy(answered: Answered[]): Counts {
  const counts: Counts = {}
  for (const { status } of answered) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

const show = (counts: Counts) => Object.entries(counts).map(([status, count]) => `${count} × ${status === '0' ? 'closed' : status}`).join(', ')

/** Whole numbers that follow from the seed. */
function createDraw(seed: number): () => number {
  let state = seed >>> 0
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 8
}
