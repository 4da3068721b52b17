import { App, Octokit } from 'octokit'
import type { FakeGithub } from './start-fake-github.ts'

/** GitHub's own client, as it comes, without its own retries and waits. */
export function createOctokitApp({ app, url }: FakeGithub): App {
  const client = Octokit.defaults({ baseUrl: url, throttle: { enabled: false }, retry: { enabled: false } })
  return new App({
    appId: app.id,
    privateKey: app.privateKey,
    webhooks: { secret: app.webhookSecret },
    oauth: { clientId: app.clientId, clientSecret: app.clientSecret },
    Octokit: client,
  })
}

/** The status with which a call was refused; 200 when it was not. */
export async function statusOf(call: Promise<unknown>): Promise<number> {
  try {
    await call
    return 200
  } catch (error) {
    return (error as { status: number }).status
  }
}
