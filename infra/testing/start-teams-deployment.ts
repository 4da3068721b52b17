import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Activity as Sent } from '#bot/teams/activity.ts'
import { startFakeConnector } from '#bot/testing/fake-connector.ts'
import type { FakeConnector, SeenMessage } from '#bot/testing/fake-connector.ts'
import { startFakeIdentityProvider } from '#bot/testing/fake-identity-provider.ts'
import type { FakeIdentityProvider } from '#bot/testing/fake-identity-provider.ts'
import { startFakeTeamsDirectory } from '#bot/testing/fake-teams-directory.ts'
import type { FakeTeamsDirectory } from '#bot/testing/fake-teams-directory.ts'
import { messageActivity, teamsIds, toTeamsRequest } from '#bot/testing/teams-activity.ts'
import type { Activity, SaidInTeams } from '#bot/testing/teams-activity.ts'
import { readDbConfig } from '#db/config.ts'
import { openDb } from '#db/index.ts'
import { migrate } from '#db/migrate.ts'
import { ensureTenant } from '#db/shared/tenants.ts'
import { connectWorkspace } from '#db/shared/workspaces.ts'
import { openFromTemplate } from '#db/testing/store-template.ts'
import { createRepository } from '#server/testing/create-repository.ts'
import { listenOnLoopback } from '#server/testing/listen-on-loopback.ts'
import { openOwnStores } from './open-own-stores.ts'
import { startProcess } from './processes.ts'
import { startDeployment } from './start-deployment.ts'
import { until } from './until.ts'

/** Nura as people have it in Teams: running processes that serve any directory; that of `teamsIds` is the tenant `local`, which has a checkout. */
export type TeamsDeployment = {
  readonly identity: FakeIdentityProvider
  readonly directory: FakeTeamsDirectory
  readonly connector: FakeConnector
  /** Where Teams says that it is to be reached. */
  readonly serviceUrl: string
  /** Roots of the bot and of the API; one process where the stores are embedded. */
  readonly url: string
  readonly apiUrl: string
  /** Sends an activity as the connector does, signed, from where Teams is unless it names another connector. @returns the status */
  send(activity: Activity): Promise<number>
  /** Asks in a thread of its own, or in a chat. */
  ask(question: string, said?: SaidInTeams): Promise<Asked>
  /** The messages that show the reply, once the last of them has its buttons. */
  answered(asked: Asked): Promise<SeenMessage[]>
  /** What is seen in a thread or a chat. */
  seen(conversation: string): SeenMessage[]
  output(): string
  close(): Promise<void>
}
export type Asked = { conversation: string; id: string }

export async function startTeamsDeployment(options: { files: Record<string, string>; env?: Record<string, string> }): Promise<TeamsDeployment> {
  const [repository, identity, directory, connector, folder, stores] = await Promise.all([
    createRepository(options.files),
    startFakeIdentityProvider(),
    startFakeTeamsDirectory(),
    startFakeConnector(),
    mkdtemp(join(tmpdir(), 'nura-teams-')),
    openOwnStores(),
  ])
  // One address for all of it, as Teams has it: who is where comes from the directory, what is said goes to the connector.
  const teams = await listenOnLoopback(createServer((request, response) => (request.method === 'GET' ? directory : connector).handle(request, response)))
  const serviceUrl = `${teams.url}/`
  directory.channels.set(teamsIds.team, [{ id: teamsIds.channel, type: 'standard' }])
  const env = {
    NURA_DATA_DIR: join(folder, 'data'),
    NURA_REPOSITORY: repository.dir,
    NURA_SERVICE_SECRET: 'a service secret that is long enough to be one',
    NURA_ENCRYPTION_KEY: Buffer.alloc(32, 5).toString('base64'),
    MicrosoftAppId: identity.app.id,
    MicrosoftAppPassword: identity.app.password,
    MicrosoftAppType: 'MultiTenant',
    MicrosoftGraphUrl: directory.graphUrl,
    ...identity.overrides(),
    ...stores.env,
    ...options.env,
  }
  await connectDirectory(env)
  const beside = stores.env.DATABASE_URL === undefined ? null : await startDeployment(env, repository.dir)
  const nura = await startProcess(beside ? 'bot/main.ts' : 'infra/local.ts', beside?.botEnv ?? env)
  const output = () => [nura, beside?.server, beside?.jobs].map((each) => each?.output() ?? '').join('')

  async function send(activity: Activity): Promise<number> {
    const from = activity.serviceUrl === 'https://smba.example/emea/' ? { ...activity, serviceUrl } : activity
    return (await fetch(`${nura.url}/api/messages`, await toTeamsRequest(identity, from))).status
  }
  const seen = (conversation: string) => connector.seen(conversation)

  return {
    identity,
    directory,
    connector,
    serviceUrl,
    url: nura.url,
    apiUrl: beside?.server.url ?? nura.url,
    send,
    seen,
    output,
    async ask(question, said = {}) {
      const activity = messageActivity({ text: question, ...said })
      const status = await send(activity)
      if (status !== 202) throw new Error(`the question got ${status}`)
      return { conversation: String((activity.conversation as Activity).id), id: String(activity.id) }
    },
    answered: ({ conversation }) => until(() => `a finished reply; ${output().slice(-1500)}`, () => (seen(conversation).some(({ activity }) => hasButtons(activity)) ? seen(conversation) : undefined)),
    async close() {
      await nura.end('SIGTERM')
      await beside?.close()
      await Promise.all([teams.close(), identity.close(), directory.close(), connector.close(), repository[Symbol.asyncDispose]()])
      await stores.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The directory of `teamsIds` belongs to the tenant `local`, as the operator's command says it. */
async function connectDirectory(env: Record<string, string>): Promise<void> {
  const config = readDbConfig(env)
  const db = config.url === null ? await openFromTemplate(config) : await openDb(config)
  try {
    await migrate(db)
    const { id } = await ensureTenant(db, { slug: 'local', name: 'local' })
    await connectWorkspace(db, id, { surface: 'teams', id: teamsIds.directory })
  } finally {
    await db.close()
  }
}

function hasButtons({ attachments = [] }: Pick<Sent, 'attachments'>): boolean {
  return JSON.stringify(attachments).includes('"Action.Execute"')
}
