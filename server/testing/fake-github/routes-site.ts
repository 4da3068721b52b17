import { createHash, randomBytes } from 'node:crypto'
import { defineRepositoryRoute, defineRoute, Refusal } from './route.ts'
import type { Reply, Request } from './route.ts'
import { toUser } from './views.ts'
import { toPermission } from './world.ts'
import type { Account } from './world.ts'

type Code = { user: Account; redirectUri: string | null; challenge: string | null; expiresAt: number }

/** What people click on the site, set by a test. */
export type Site = {
  /** Who is signed in in the browser; null: nobody. */
  signedIn: Account | null
  /** Where GitHub sends people after an installation: the App's setup URL. */
  setupUrl: string | null
  /** What is installed when someone clicks through the installation page. */
  installing: number | null
  /** The person declines to authorize. */
  declines: boolean
  /** Installing also authorizes: the way back carries a code. */
  authorizesOnInstall: boolean
}

const who = ['nobody' as const]
const tenMinutes = 600_000

/** The web flows: authorization of a person, installation of the App, and what a permission is. */
export function createSiteRoutes(site: Site) {
  const codes = new Map<string, Code>()

  function authorize({ world, query }: Request): Reply {
    if (query.get('client_id') !== world.app.clientId) throw new Refusal(404, 'Not Found')
    const redirectUri = query.get('redirect_uri')
    const target = new URL(redirectUri ?? site.setupUrl ?? world.web)
    const user = query.get('login') ? world.findAccount(query.get('login')!) : site.signedIn
    if (!user) return { status: 302, headers: { location: `${world.web}/login` } }
    if (query.get('state')) target.searchParams.set('state', query.get('state')!)
    if (site.declines) {
      target.searchParams.set('error', 'access_denied')
      return { status: 302, headers: { location: target.href } }
    }
    target.searchParams.set('code', issue(user, world.now(), redirectUri, query.get('code_challenge')))
    return { status: 302, headers: { location: target.href } }
  }
  function issue(user: Account, now: Date, redirectUri: string | null, challenge: string | null): string {
    const code = randomBytes(10).toString('hex')
    codes.set(code, { user, redirectUri, challenge, expiresAt: now.getTime() + tenMinutes })
    return code
  }

  function exchange({ world, body, query, headers }: Request): Reply {
    const read = (name: string) => (typeof body[name] === 'string' ? body[name] : query.get(name))
    const answer = (fields: Record<string, string>): Reply =>
      headers.accept?.includes('json')
        ? { body: fields }
        : {
            body: Buffer.from(new URLSearchParams(fields).toString()),
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
          }
    const { clientId, clientSecret } = world.app
    if (read('client_id') !== clientId || read('client_secret') !== clientSecret) {
      return answer({
        error: 'incorrect_client_credentials',
        error_description: 'The client_id and/or client_secret passed are incorrect.',
      })
    }
    const code = codes.get(read('code') ?? '')
    codes.delete(read('code') ?? '')
    const proof = createHash('sha256')
      .update(read('code_verifier') ?? '')
      .digest('base64url')
    if (!code || code.expiresAt < world.now().getTime() || (code.challenge && code.challenge !== proof)) {
      return answer({ error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' })
    }
    if (read('redirect_uri') && code.redirectUri && read('redirect_uri') !== code.redirectUri) {
      return answer({
        error: 'redirect_uri_mismatch',
        error_description: 'The redirect_uri MUST match the registered callback URL for this application.',
      })
    }
    const token = `ghu_${randomBytes(18).toString('hex')}`
    world.tokens.set(token, { user: code.user, expiresAt: new Date(world.now().getTime() + 8 * 3_600_000), repositories: null })
    return answer({
      access_token: token,
      expires_in: '28800',
      refresh_token: `ghr_${randomBytes(18).toString('hex')}`,
      refresh_token_expires_in: '15897600',
      token_type: 'bearer',
      scope: '',
    })
  }

  function install({ world, query }: Request): Reply {
    if (!site.setupUrl || site.installing === null) throw new Refusal(404, 'Not Found')
    const target = new URL(site.setupUrl)
    target.searchParams.set('installation_id', String(site.installing))
    target.searchParams.set('setup_action', 'install')
    if (query.get('state')) target.searchParams.set('state', query.get('state')!)
    if (site.authorizesOnInstall && site.signedIn) target.searchParams.set('code', issue(site.signedIn, world.now(), null, null))
    return { status: 302, headers: { location: target.href } }
  }

  function revoke({ world, headers, body, params }: Request): Reply {
    const { clientId, clientSecret } = world.app
    const proof = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
    if (params.client !== clientId || headers.authorization !== `Basic ${proof}`) throw new Refusal(404, 'Not Found')
    if (!world.tokens.delete(String(body.access_token))) throw new Refusal(422, 'Validation Failed')
    return { status: 204 }
  }

  return [
    defineRoute('GET', '/login/oauth/authorize', authorize, { who }),
    defineRoute('POST', '/login/oauth/access_token', exchange, { who }),
    defineRoute('GET', '/apps/:slug/installations/new', install, { who }),
    defineRoute('DELETE', '/applications/:client/token', revoke, { who }),
    defineRoute('DELETE', '/applications/:client/grant', revoke, { who }),
    defineRepositoryRoute('GET', '/collaborators/:login/permission', ({ world, repository, params }) => {
      const account = world.findAccount(params.login!)
      if (!account) throw new Refusal(404, `${params.login} is not a user`)
      const role = toPermission(repository, account)
      const permission = role === 'maintain' ? 'write' : role === 'triage' ? 'read' : role
      return { body: { permission, role_name: role, user: toUser(world, account) } }
    }),
  ]
}
