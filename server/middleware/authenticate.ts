import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { jwtVerify } from 'jose'
import { NuraError } from '#db/nura-error.ts'
import { isLoopback } from '../config.ts'
import type { ServerConfig } from '../config.ts'
import { isFromThisMachine } from './is-from-this-machine.ts'

/** Who calls, from a verified signature or from local mode; never from a body, a query or a path. */
export type Caller = { tenant: string; asker: string }
export type AuthConfig = Pick<ServerConfig, 'host' | 'serviceSecret' | 'metricsToken' | 'tenant'>

const longestLifeSeconds = 10 * 60
const toleranceSeconds = 60

/**
 * Reads the caller from `Authorization: Bearer`, an HS256 JWT with `aud: nura`, `tenant`, `sub` and an `exp` at most ten
 * minutes away. Without a service secret everyone on loopback is the local tenant (`guardLoopback` has checked that).
 * @throws NuraError `unauthorized`, the same sentence for every fault.
 */
export async function readCaller(authorization: string | undefined, config: AuthConfig): Promise<Caller> {
  if (config.serviceSecret === null) return { tenant: config.tenant, asker: 'local' }
  const token = toBearer(authorization)
  if (token === null) throw unauthorized()
  const { payload } = await jwtVerify(token, Buffer.from(config.serviceSecret), {
    algorithms: ['HS256'],
    audience: 'nura',
    clockTolerance: toleranceSeconds,
    requiredClaims: ['exp', 'sub', 'tenant'],
  }).catch((cause: unknown) => {
    throw unauthorized(cause)
  })
  const { tenant, sub, exp } = payload
  const tooLong = exp === undefined || exp - Date.now() / 1000 > longestLifeSeconds + toleranceSeconds
  if (tooLong || !isName(tenant) || !isName(sub)) throw unauthorized()
  return { tenant, asker: sub }
}

/**
 * Lets operators in: whoever is on the machine of a process that listens there alone, else the metrics token or a service token.
 * A proxy or a tunnel in front of such a process brings the whole world to its door, and none of it is on this machine.
 */
export async function checkOperator(request: Pick<IncomingMessage, 'socket' | 'headers'>, config: AuthConfig): Promise<void> {
  if (isLoopback(config.host) && isFromThisMachine(request)) return
  const { authorization } = request.headers
  const token = toBearer(authorization)
  if (token !== null && config.metricsToken !== null && isSame(token, config.metricsToken)) return
  await readCaller(authorization, config)
}

function toBearer(authorization: string | undefined): string | null {
  return /^Bearer ([\w.~+/=-]{1,8192})$/i.exec(authorization ?? '')?.[1] ?? null
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 200 && !value.includes('\0')
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function unauthorized(cause?: unknown): NuraError {
  return new NuraError(
    'unauthorized',
    'A service token is needed: Authorization: Bearer with an HS256 JWT signed with NURA_SERVICE_SECRET, aud "nura", tenant, sub, exp at most 10 minutes away.',
    { cause },
  )
}
