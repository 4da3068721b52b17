import type { KeyObject } from 'node:crypto'
import { decodeJwt, errors, jwtVerify } from 'jose'
import { Refusal } from './route.ts'
import type { Actor } from './route.ts'
import type { World } from './world.ts'

const mostSeconds = 600

/** Who a request's credentials prove, or why GitHub refuses them. */
export function createAuthenticate(
  world: World,
  publicKey: KeyObject,
): (authorization: string | undefined) => Promise<Actor | Refusal> {
  async function readApp(token: string): Promise<Actor | Refusal> {
    const now = Math.floor(world.now().getTime() / 1000)
    try {
      const { iss, exp, iat } = decodeJwt(token)
      if (!exp || exp > now + mostSeconds) return new Refusal(401, "'Expiration time' claim ('exp') is too far in the future")
      if (iat && iat > now + 60)
        return new Refusal(
          401,
          "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
        )
      if (iss !== String(world.app.id) && Number(iss) !== world.app.id && iss !== world.app.clientId)
        return new Refusal(401, 'Integration not found')
      await jwtVerify(token, publicKey, { algorithms: ['RS256'], currentDate: world.now() })
      return { kind: 'app' }
    } catch (error) {
      if (error instanceof errors.JWTExpired)
        return new Refusal(
          401,
          "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
        )
      return new Refusal(401, 'A JSON web token could not be decoded')
    }
  }

  return async (authorization) => {
    const [, scheme, value = ''] = /^(\S+) (.+)$/.exec(authorization ?? '') ?? []
    // Basic credentials are those of the App's OAuth client, which the routes that take them check.
    if (!scheme || scheme.toLowerCase() === 'basic') return { kind: 'nobody' }
    if (value.split('.').length === 3) return await readApp(value)
    const token = world.tokens.get(value)
    if (!token || token.expiresAt <= world.now()) return new Refusal(401, 'Bad credentials')
    if ('user' in token) return { kind: 'user', user: token.user }
    if (token.installation.deleted) return new Refusal(401, 'Bad credentials')
    if (token.installation.suspendedAt) return new Refusal(403, 'This installation has been suspended')
    return { kind: 'installation', installation: token.installation, repositories: token.repositories }
  }
}
