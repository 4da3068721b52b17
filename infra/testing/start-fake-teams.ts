import { createServer } from 'node:http'
import { startFakeConnector } from '#bot/testing/fake-connector.ts'
import type { FakeConnector } from '#bot/testing/fake-connector.ts'
import { startFakeIdentityProvider } from '#bot/testing/fake-identity-provider.ts'
import { startFakeTeamsDirectory } from '#bot/testing/fake-teams-directory.ts'
import { messageActivity, teamsIds, toTeamsRequest } from '#bot/testing/teams-activity.ts'
import { listenOnLoopback } from '#server/testing/listen-on-loopback.ts'
import { until } from './until.ts'

/** Teams beside running processes: its identity provider, its directory and its connector, as one directory is served. */
export type FakeTeams = {
  readonly connector: FakeConnector
  /** What the bot's process needs in its environment. */
  readonly env: Record<string, string>
  /** Mentions Nura in a channel, in a thread of its own, and resolves with the thread's conversation once that was taken. */
  ask(botUrl: string, question: string): Promise<string>
  /** Every body that was sent to a conversation, once its reply is whole. */
  finished(conversation: string): Promise<string[]>
  close(): Promise<void>
}

export async function startFakeTeams(): Promise<FakeTeams> {
  const [identity, directory, connector] = await Promise.all([startFakeIdentityProvider(), startFakeTeamsDirectory(), startFakeConnector()])
  // One address for all of it, as Teams has it: who is where comes from the directory, what is said goes to the connector.
  const teams = await listenOnLoopback(createServer((request, response) => (request.method === 'GET' ? directory : connector).handle(request, response)))
  directory.channels.set(teamsIds.team, [{ id: teamsIds.channel, type: 'standard' }])
  return {
    connector,
    env: {
      MicrosoftAppId: identity.app.id,
      MicrosoftAppPassword: identity.app.password,
      MicrosoftAppType: 'SingleTenant',
      MicrosoftAppTenantId: teamsIds.directory,
      ...identity.overrides(),
    },
    async ask(botUrl, question) {
      const activity = messageActivity({ text: question, serviceUrl: `${teams.url}/` })
      const { status } = await fetch(`${botUrl}/api/messages`, await toTeamsRequest(identity, activity))
      if (status !== 202) throw new Error(`the activity got ${status}`)
      return String((activity.conversation as { id: string }).id)
    },
    async finished(conversation) {
      const bodies = () => connector.transcript().filter((each) => each.conversation === conversation)
      await until(() => `a whole reply in Teams among ${JSON.stringify(bodies()).slice(-500)}`, () => bodies().some(({ body }) => body?.type === 'message' && JSON.stringify(body).includes('AIGeneratedContent')))
      return connector.calls.filter(({ path }) => decodeURIComponent(path).includes(conversation)).map(({ raw }) => raw)
    },
    async close() {
      await Promise.all([teams.close(), identity.close(), directory.close(), connector.close()])
    },
  }
}
