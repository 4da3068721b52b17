import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFakeWorkspace, toVisible } from '#bot/testing/fake-slack-methods.ts'
import type { FakeMessage } from '#bot/testing/fake-slack-methods.ts'
import { startFakeSlack } from '#bot/testing/fake-slack.ts'
import type { FakeSlack } from '#bot/testing/fake-slack.ts'
import { say, slackEvent, toRequest } from '#bot/testing/slack-event.ts'
import { createRepository } from '#server/testing/create-repository.ts'
import type { TestRepository } from '#server/testing/create-repository.ts'
import { openOwnStores } from './open-own-stores.ts'
import { startProcess } from './processes.ts'
import type { NuraProcess } from './processes.ts'
import { startDeployment, toServiceToken } from './start-deployment.ts'
import { until } from './until.ts'

/** What was shown in a thread, and how long after the question came, milliseconds. */
export type Seen = { ms: number; what: string }

/** Nura as people have it in Slack: running processes on stores of their own, a fake Slack and a checkout. */
export type SlackDeployment = {
  readonly slack: FakeSlack
  readonly repository: TestRepository
  /** Roots of the bot and of the API; one process where the stores are embedded. */
  readonly url: string
  readonly apiUrl: string
  /** What Slack signs with. */
  readonly signingSecret: string
  /** Sends a payload as Slack does, signed. */
  send(payload: Record<string, unknown>, headers?: Record<string, string>): Promise<Response>
  /** One more process for Slack to talk to: on servers a bot of the same deployment, else a whole Nura on stores of its own. `close` ends it too. */
  startBeside(change: Record<string, string>): Promise<NuraProcess>
  /** A whole Nura with other credentials, on embedded stores of its own: bots of one deployment take each other's turns. `close` ends it too. */
  startApart(change: Record<string, string>): Promise<NuraProcess>
  /** What its processes share. */
  readonly env: Readonly<Record<string, string>>
  /** Mentions Nura in a channel, in a thread of its own, and resolves when the event was taken. */
  ask(question: string): Promise<FakeMessage>
  /** The first reply of the thread, when it will not change any more. */
  finished(mention: FakeMessage): Promise<FakeMessage>
  /** Polls until the thread shows text that matches. */
  shown(mention: FakeMessage, pattern: RegExp, withinMs?: number): Promise<string>
  /** What people see in the thread now. */
  seen(mention: FakeMessage): string[]
  /** What the thread showed, in order: the status, the replies, and what became of them. */
  timeline(mention: FakeMessage): Seen[]
  /** Calls the API as the operator of the tenant `local`. */
  api(path: string, body?: object): Promise<Record<string, unknown>>
  output(): string
  close(): Promise<void>
}

const signingSecret = 'a-signing-secret-of-slack'
const secret = 'a service secret that is long enough to be one'

/** Starts it with one indexed checkout for the tenant `local`. Embedded stores: one process; on servers: the three of a deployment. */
export async function startSlackDeployment(options: { files: Record<string, string>; env?: Record<string, string>; /** Where the checkout came from; its citations link there. */ remote?: string }): Promise<SlackDeployment> {
  const [repository, slack, folder, stores] = await Promise.all([
    createRepository(options.files),
    startFakeSlack(createFakeWorkspace()),
    mkdtemp(join(tmpdir(), 'nura-slack-')),
    openOwnStores(),
  ])
  if (options.remote) await repository.git('remote', 'add', 'origin', options.remote)
  const env = {
    NURA_DATA_DIR: join(folder, 'data'),
    NURA_REPOSITORY: repository.dir,
    NURA_SERVICE_SECRET: secret,
    NURA_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    SLACK_SIGNING_SECRET: signingSecret,
    SLACK_BOT_TOKEN: 'xoxb-fake-token',
    SLACK_API_URL: slack.url,
    ...stores.env,
    ...options.env,
  }
  const beside = stores.env.DATABASE_URL === undefined ? null : await startDeployment(env, repository.dir)
  const nura: NuraProcess = await startProcess(beside ? 'bot/main.ts' : 'infra/local.ts', beside?.botEnv ?? env)
  const apiUrl = beside?.server.url ?? nura.url
  const asked = new Map<string, number>()
  const replies = ({ ts }: FakeMessage) => slack.workspace.messages.filter(({ thread_ts, user }) => thread_ts === ts && user === slack.workspace.botUserId)
  const more: NuraProcess[] = []
  const keep = async (starting: Promise<NuraProcess>) => {
    const one = await starting
    more.push(one)
    return one
  }
  const startApart = (change: Record<string, string>) => keep(startProcess('infra/local.ts', { ...env, DATABASE_URL: '', REDIS_URL: '', NURA_DATA_DIR: join(folder, `data-${more.length}`), ...change }))
  const send = (payload: Record<string, unknown>, headers = {}) => fetch(`${nura.url}/slack/events`, toRequest(signingSecret, payload, headers))
  const output = () => [nura, ...more, beside?.server, beside?.jobs].map((each) => each?.output() ?? '').join('')

  return {
    slack,
    repository,
    url: nura.url,
    apiUrl,
    env,
    output,
    signingSecret,
    send,
    startBeside: (change) => (beside ? keep(startProcess('bot/main.ts', { ...beside.botEnv, ...change })) : startApart(change)),
    startApart,
    async ask(question) {
      const mention = say(slack.workspace, { text: `<@${slack.workspace.botUserId}> ${question}` })
      asked.set(mention.ts, Date.now())
      const { status } = await send(slackEvent(slack.workspace, mention, 'app_mention'))
      if (status !== 200) throw new Error(`the mention got ${status}`)
      return mention
    },
    finished: (mention) => until(() => `a finished reply; ${output().slice(-1500)}`, () => replies(mention).find(({ streaming, blocks }) => !streaming && blocks.length > 0)),
    shown: (mention, pattern, withinMs = 60_000) =>
      until(() => `${pattern} in ${JSON.stringify(replies(mention).map(toVisible))}; ${output().slice(-1500)}`, () => replies(mention).map(toVisible).find((text) => pattern.test(text)), { withinMs }),
    seen: (mention) => replies(mention).map(toVisible),
    timeline(mention) {
      const from = asked.get(mention.ts) ?? 0
      const ours = new Set(replies(mention).map(({ ts }) => ts))
      return slack.calls.flatMap(({ method, args, at }) => {
        if (args.thread_ts !== mention.ts && !ours.has(String(args.ts))) return []
        const text = [args.status, args.markdown_text, args.text].find((each): each is string => typeof each === 'string' && each !== '')
        return text === undefined || !(method.startsWith('chat.') || method.endsWith('setStatus')) ? [] : [{ ms: at - from, what: `${method.split('.').at(-1)}: ${text}` }]
      })
    },
    async api(path, body) {
      const headers = { authorization: `Bearer ${await toServiceToken(secret)}`, 'content-type': 'application/json' }
      const response = await fetch(`${apiUrl}${path}`, { headers, ...(body && { method: 'POST', body: JSON.stringify(body) }) })
      return (await response.json()) as Record<string, unknown>
    },
    async close() {
      await Promise.all([nura, ...more].map((each) => each.end('SIGTERM')))
      await beside?.close()
      await Promise.all([slack.close(), repository[Symbol.asyncDispose]()])
      await stores.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
