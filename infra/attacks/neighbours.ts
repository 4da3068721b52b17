import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFakeWorkspace, toVisible } from '#bot/testing/fake-slack-methods.ts'
import type { FakeMessage, Workspace } from '#bot/testing/fake-slack-methods.ts'
import { startFakeSlack } from '#bot/testing/fake-slack.ts'
import type { FakeSlack } from '#bot/testing/fake-slack.ts'
import { say, slackEvent, toRequest } from '#bot/testing/slack-event.ts'
import { createRepository } from '#server/testing/create-repository.ts'
import { openOwnStores } from '../testing/open-own-stores.ts'
import { startProcess } from '../testing/processes.ts'
import { startDeployment, toServiceToken } from '../testing/start-deployment.ts'
import { until } from '../testing/until.ts'
import type { Attack, Figure } from './attack.ts'

const secret = 'a service secret that is long enough to be one'
const signingSecret = 'a-signing-secret-of-slack'
/** More than a tenant may have at work at once in one process. */
const hanging = 55
const busy = /^You have asked 20 questions within a minute/

/** One workspace makes all the work it can; another one asks a question. */
export const neighbours: Attack = {
  name: 'neighbours',
  tries: 'one workspace floods Nura, and its Slack hangs; another one asks a question',
  async run({ long, say: tell }) {
    const [loud, quiet] = ['T0LOUD', 'T0QUIET'].map((teamId) => createFakeWorkspace({ teamId, token: `xoxb-of-${teamId.toLowerCase()}` })) as [Workspace, Workspace]
    const slack = await startFakeSlack(loud, [quiet])
    const rig = await openRig(slack, [loud, quiet])
    try {
      return [...(await whileSlackHangs(rig, loud, quiet, tell)), ...(await whileOneFloods(rig, loud, long ? 10_000 : 60, tell))]
    } finally {
      await rig.close()
      await slack.close()
    }
  },
}

type Rig = {
  slack: FakeSlack
  /** Mentions Nura in a thread of its own; the status of the acknowledgement. */
  ask(workspace: Workspace, question: string, user?: string): Promise<{ mention: FakeMessage; status: number }>
  /** Turns that have ended so far, by their outcome. */
  turns(): Promise<Record<string, number>>
  close(): Promise<void>
}

async function openRig(slack: FakeSlack, workspaces: Workspace[]): Promise<Rig> {
  const [repository, folder, stores] = await Promise.all([createRepository({ 'README.md': '# Nobody asks about this\n' }), mkdtemp(join(tmpdir(), 'nura-neighbours-')), openOwnStores()])
  const env = {
    NURA_DATA_DIR: join(folder, 'data'),
    NURA_SERVICE_SECRET: secret,
    NURA_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    NURA_LIMIT_ASKER: '20/min',
    NURA_LIMIT_CHANNEL: 'off',
    NURA_LIMIT_TENANT: 'off',
    LOG_LEVEL: 'warn',
    SLACK_SIGNING_SECRET: signingSecret,
    SLACK_CLIENT_ID: '1.2',
    SLACK_CLIENT_SECRET: 'a client secret',
    SLACK_STATE_SECRET: 'a state secret',
    SLACK_API_URL: slack.url,
    ...stores.env,
  }
  const beside = stores.env.DATABASE_URL === undefined ? null : await startDeployment(env, repository.dir)
  const nura = await startProcess(beside ? 'bot/main.ts' : 'infra/local.ts', beside?.botEnv ?? env)
  for (const workspace of workspaces) await install(nura.url, slack, workspace)
  return {
    slack,
    async ask(workspace, question, user = 'U0ALICE') {
      const mention = say(workspace, { text: `<@${workspace.botUserId}> ${question}`, user })
      const { status } = await fetch(`${nura.url}/slack/events`, toRequest(signingSecret, slackEvent(workspace, mention, 'app_mention')))
      return { mention, status }
    },
    async turns() {
      const metrics = await (await fetch(`${nura.url}/metrics`, { headers: { authorization: `Bearer ${await toServiceToken(secret)}` } })).text()
      const ended: Record<string, number> = {}
      for (const [, outcome = '', count] of metrics.matchAll(/^nura_turns_total\{.*outcome="([^"]+)".*\} (\d+)$/gm)) ended[outcome] = (ended[outcome] ?? 0) + Number(count)
      return ended
    },
    async close() {
      await nura.end('SIGTERM')
      await beside?.close()
      await repository[Symbol.asyncDispose]()
      await stores.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Installs Nura as an administrator's browser does. */
async function install(url: string, slack: FakeSlack, { teamId, botUserId, tokens }: Workspace): Promise<void> {
  slack.workspace.codes.set(teamId, {
    app_id: 'A0NURA', access_token: [...tokens][0], token_type: 'bot', scope: 'chat:write', bot_user_id: botUserId, team: { id: teamId, name: teamId }, enterprise: null, authed_user: { id: 'U0ADMIN' }, is_enterprise_install: false,
  })
  const begun = await fetch(`${url}/slack/install`, { redirect: 'manual' })
  const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const cookie = begun.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ')
  const { status } = await fetch(`${url}/slack/oauth_redirect?code=${teamId}&state=${encodeURIComponent(state)}`, { headers: { cookie } })
  if (status !== 200) throw new Error(`Nura was not installed in ${teamId}: ${status}`)
}

const repliesTo = ({ messages, botUserId }: Workspace, { ts }: FakeMessage) => messages.filter(({ user, thread_ts, streaming }) => user === botUserId && thread_ts === ts && !streaming)

/** All that a tenant may have at work hangs in its Slack: another's question is answered meanwhile, and then theirs are. */
async function whileSlackHangs({ slack, ask, turns }: Rig, loud: Workspace, quiet: Workspace, tell: (line: string) => void): Promise<Figure[]> {
  const heldBack = Promise.withResolvers<void>()
  let hung = 0
  // Whatever would show something: after ten seconds a reply is tried in another way.
  for (const method of ['chat.postMessage', 'chat.postEphemeral', 'chat.startStream', 'chat.appendStream', 'chat.stopStream', 'chat.update']) {
    slack.before(method, async ({ token }) => {
      if (!loud.tokens.has(token)) return
      hung += 1
      await heldBack.promise
    })
  }
  const asked: FakeMessage[] = []
  for (let at = 0; at < hanging; at++) {
    const user = `U0LOUD${at}`
    loud.users.set(user, { id: user, team_id: loud.teamId, name: `loud ${at}` })
    asked.push((await ask(loud, `what is number ${at}?`, user)).mention)
  }
  await until('its Slack to hold what it may have', () => hung > 0)
  const { mention } = await ask(quiet, 'where is the signature verified?')
  await until('an answer to the other workspace', () => repliesTo(quiet, mention).length > 0)
  const during = asked.filter((one) => repliesTo(loud, one).length > 0).length
  tell(`${hung} posts hung while the other workspace was answered`)
  heldBack.resolve()
  await until('every answer of the loud one', () => asked.every((one) => repliesTo(loud, one).length > 0))
  // An answer is seen before its turn has ended.
  await until('the end of every turn', async () => sum(await turns()) >= hanging + 1)
  const twice = asked.filter((one) => repliesTo(loud, one).length > 1).length
  return [
    { measure: 'T34: question answered while all that another tenant may have at work hangs', value: `1 of 1, ${during} of theirs`, bound: '1, 0 of theirs', holds: during === 0 },
    { measure: 'T34: their questions answered afterwards: lost, twice', value: `0, ${twice} of ${hanging}`, bound: '0, 0', holds: twice === 0 },
  ]
}

/** One person asks without end: is told once that this is too much, and every event gets its outcome. */
async function whileOneFloods({ ask, turns }: Rig, loud: Workspace, count: number, tell: (line: string) => void): Promise<Figure[]> {
  const before = await turns()
  const statuses: number[] = []
  const asked: FakeMessage[] = []
  const start = Date.now()
  for (let at = 0; at < count; at += 40) {
    const some = await Promise.all(Array.from({ length: Math.min(40, count - at) }, (_, of) => ask(loud, `what about number ${at + of}?`, 'U0BOB')))
    for (const { mention, status } of some) {
      statuses.push(status)
      if (status === 200) asked.push(mention)
    }
  }
  const told = () => asked.filter((one) => repliesTo(loud, one).some((reply) => busy.test(toVisible(reply))))
  const ended = async () => sum(await turns()) - sum(before)
  await until('an outcome of every question', async () => (await ended()) >= asked.length, { withinMs: 600_000, everyMs: 500 })
  const shed = statuses.filter((status) => status === 503).length
  tell(`${statuses.length} questions of one person: ${asked.length} taken, ${shed} to be sent again`)
  const outcomes = await turns()
  const refused = outcomes.refused ?? 0
  // A window begins anew after a minute, and while Redis is late the process counts for itself: how often hangs on the machine.
  const windows = Math.ceil((Date.now() - start) / 60_000)
  return [
    { measure: 'T33: questions of one person taken, or refused so that they come again', value: `${asked.length + shed} of ${count}`, bound: `${count}`, holds: asked.length + shed === count && asked.length > 20 },
    { measure: 'T33: of those taken, ended without another word', value: `${refused}`, bound: 'all beyond the limit', holds: refused > 0 && refused >= asked.length - windows * 2 * 20 },
    { measure: 'T33: times that they were told to wait', value: `${told().length}`, bound: 'once a minute', holds: told().length >= 1 && told().length <= windows * 2 },
  ]
}

const sum = (counts: Record<string, number>) => Object.values(counts).reduce((all, count) => all + count, 0)
