import type { Db } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { saveGithubInstallation } from '#db/shared/github-installations.ts'
import { linkGithubPerson } from '#db/shared/github-people.ts'
import { findTenant } from '#db/shared/tenants.ts'
import { findWorkspaceTenant } from '#db/shared/workspaces.ts'
import type { GithubApp } from '../app.ts'
import { asSignedIn } from './as-signed-in.ts'
import type { Page } from './page.ts'
import * as pages from './pages.ts'
import { proveAdministration } from './prove-administration.ts'
import { toChallenge } from './states.ts'
import type { ConnectStates, Owner } from './states.ts'

/** Where a page sends its confirmation to. */
export const confirmPath = '/github/link'

/** What GitHub lets a browser bring back. All of it is anyone's word until it is proved. */
export type Return = { state?: string; code?: string; installationId?: number; setupAction?: string; error?: string }

/** Begun by someone whom a service token names. `name`: what people call them, shown to whoever confirms. */
export type Beginning = { kind: 'installation' | 'person'; tenantId: string; reader: string; name: string | null }

/** Joins installations of the App with tenants, and people with their GitHub accounts. */
export type GithubConnections = {
  /** The address to open in a browser, and until when. @throws NuraError `github-not-configured`, and what a call of GitHub's throws */
  begin(beginning: Beginning, signal: AbortSignal): Promise<{ url: string; expiresAt: Date }>
  /** A browser is back from GitHub: the page to show it, or where to send it next. Nothing is joined yet. */
  receive(back: Return, signal: AbortSignal): Promise<Page | { location: string }>
  /** The person agreed on the page: both are joined. */
  confirm(token: string): Promise<Page>
}

export type ConnectionParts = {
  db: Db
  github: GithubApp
  states: ConnectStates
  /** Hints that an installation waits to be listed; the sweeper finds it without. */
  syncInstallation(tenantId: string, installationId: number): Promise<void>
}

/**
 * Every step has a state of its own, which names the step, belongs to one tenant and person, and is used once. GitHub proves
 * who the browser's person is. What is joined is then shown with both its ends and confirmed on our own page: GitHub sends
 * someone who has signed in before straight back, so that following a link of somebody else's would join theirs otherwise.
 */
export function createGithubConnections({ db, github, states, syncInstallation }: ConnectionParts): GithubConnections {
  const { config } = github

  function toSignIn(token: string): string {
    const query = { client_id: needClient().id, state: token, code_challenge: toChallenge(states.verifierOf(token)), code_challenge_method: 'S256', prompt: 'select_account' }
    return `${config.webUrl}/login/oauth/authorize?${new URLSearchParams(query).toString()}`
  }

  function needClient(): { id: string; secret: string } {
    if (config.client) return config.client
    throw new NuraError(
      'github-not-configured',
      'Nobody can sign in with GitHub here: GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET are not set. An operator can connect an installation all the same: npm run tenant -- connect NAME github:ID',
    )
  }

  async function signIn<T>({ code }: Return, verifier: string | null, signal: AbortSignal, run: (token: string) => Promise<T>): Promise<T> {
    if (code === undefined) throw new NuraError('github-code-refused', 'GitHub sent you back without saying who you are. Start again in Slack.')
    return await asSignedIn({ ...config, client: needClient() }, { code, verifier }, signal, run)
  }

  async function offer(page: (address: string) => Page, owner: Owner, step: Parameters<ConnectStates['issue']>[1]): Promise<Page> {
    const { token } = await states.issue(owner, step)
    return page(`${confirmPath}?${new URLSearchParams({ confirm: token }).toString()}`)
  }

  async function offerInstallation(owner: Owner, installationId: number, userToken: string, signal: AbortSignal): Promise<Page> {
    const proved = await proveAdministration(github, userToken, installationId, signal)
    const present = await findWorkspaceTenant(db, { surface: 'github', id: String(installationId) })
    if (present !== null && present !== owner.tenantId) throw new NuraError('connected-elsewhere', 'That GitHub installation is connected to another tenant of this Nura. Disconnect it there first.')
    const tenant = await findTenant(db, owner.tenantId)
    return await offer((address) => pages.offerInstallation(proved.account, tenant?.name ?? '', address), owner, { step: 'confirm-installation', installationId, ...proved })
  }

  async function offerPerson(owner: Owner, name: string | null, userToken: string, signal: AbortSignal): Promise<Page> {
    const { data } = await github.asUser(userToken).rest.users.getAuthenticated({ request: { signal } })
    const who = { name: name ?? 'someone', reader: owner.reader ?? '' }
    return await offer((address) => pages.offerPerson(data.login, who, address), owner, { step: 'confirm-person', githubId: data.id, login: data.login })
  }

  return {
    async begin({ kind, tenantId, reader, name }, signal) {
      needClient()
      const owner = { tenantId, reader }
      if (kind === 'person') {
        const { token, expiresAt } = await states.issue(owner, { step: 'link', name })
        return { url: toSignIn(token), expiresAt }
      }
      const { slug } = await github.identity(signal)
      const { token, expiresAt } = await states.issue(owner, { step: 'install' })
      const apps = config.apiUrl.endsWith('/api/v3') ? 'github-apps' : 'apps'
      return { url: `${config.webUrl}/${apps}/${slug}/installations/new?state=${token}`, expiresAt }
    },

    async receive(back, signal) {
      const { state } = back
      if (state === undefined) return back.setupAction === 'update' ? pages.updated() : pages.notBegunHere()
      if (back.error !== undefined || back.setupAction === 'request') {
        await states.check(state, ['install', 'prove', 'link'])
        return back.error === undefined ? pages.requested() : pages.declined()
      }
      const { step, ...owner } = await states.use(state, ['install', 'prove', 'link'])
      if (step.step === 'link') return await signIn(back, states.verifierOf(state), signal, (token) => offerPerson(owner, step.name, token, signal))
      if (step.step === 'prove') return await signIn(back, states.verifierOf(state), signal, (token) => offerInstallation(owner, step.installationId, token, signal))
      const { installationId } = back
      if (installationId === undefined) throw new NuraError('bad-state', 'GitHub did not say what was installed. Start again in Slack.')
      // Where the App's settings ask people to sign in while they install, the proof is here already.
      if (back.code !== undefined) return await signIn(back, null, signal, (token) => offerInstallation(owner, installationId, token, signal))
      return { location: toSignIn((await states.issue(owner, { step: 'prove', installationId })).token) }
    },

    async confirm(token) {
      const { step, tenantId, reader } = await states.use(token, ['confirm-installation', 'confirm-person'])
      if (step.step === 'confirm-person') {
        if (reader === null) throw new NuraError('bad-state', 'This link belongs to nobody. Start again in Slack.')
        await linkGithubPerson(db, { tenantId, reader, githubId: step.githubId, login: step.login })
        return pages.linked(step.login)
      }
      await saveGithubInstallation(db, { id: step.installationId, tenantId, account: step.account, accountId: step.accountId })
      await syncInstallation(tenantId, step.installationId)
      return pages.connected(step.account)
    },
  }
}
