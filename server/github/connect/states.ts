import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import type { Db } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { issueGithubState, useGithubState } from '#db/shared/github-states.ts'

/** How far a connection has come, and what the next step needs to know. Every step has a state of its own, used once. */
export const Step = z.discriminatedUnion('step', [
  /** The browser is sent to GitHub to install the App. */
  z.object({ step: z.literal('install') }),
  /** It came back from there without proof of who its person is, and is sent to sign in. */
  z.object({ step: z.literal('prove'), installationId: z.int().positive() }),
  /** The browser is sent to GitHub to sign in, for a person whom Nura knows by `name`. */
  z.object({ step: z.literal('link'), name: z.string().nullable() }),
  /** GitHub has proved both; the person is asked whether to join them. */
  z.object({ step: z.literal('confirm-installation'), installationId: z.int().positive(), account: z.string(), accountId: z.int().nullable() }),
  z.object({ step: z.literal('confirm-person'), githubId: z.int().positive(), login: z.string() }),
])
export type Step = z.infer<typeof Step>
export type StepName = Step['step']

/** Whose connection it is. `reader`: the person that asked for it, such as `slack:T0123:U0456`. */
export type Owner = { tenantId: string; reader: string | null }

export type ConnectStates = {
  issue(owner: Owner, step: Step): Promise<{ token: string; expiresAt: Date }>
  /** Uses a state up. @throws NuraError `bad-state`, the same sentence for every fault; nothing is used up then */
  use<Name extends StepName>(token: string, expected: readonly Name[]): Promise<Owner & { step: Extract<Step, { step: Name }> }>
  /** As `use`, and leaves it usable. */
  check(token: string, expected: readonly StepName[]): Promise<void>
  /** The PKCE verifier that belongs to a state: nobody else can tell it, and nobody has to keep it. */
  verifierOf(token: string): string
}

/** How long a step may take, milliseconds. */
export const stateMs = 15 * 60_000
const audience = 'nura-github-connect'

/** States are JWTs under keys that are derived for this purpose alone, so that no other token of ours is one, nor the reverse. */
export function createConnectStates({ db, secret, now = () => new Date() }: { db: Db; secret: string; now?: () => Date }): ConnectStates {
  const signingKey = toKey(secret, 'github-connect-state')
  const verifierKey = toKey(secret, 'github-connect-verifier')

  async function read(token: string, expected: readonly StepName[]): Promise<{ id: string; step: Step }> {
    const { payload } = await jwtVerify(token, signingKey, { algorithms: ['HS256'], audience, requiredClaims: ['exp', 'jti'], currentDate: now() }).catch((cause: unknown) => {
      throw badState(cause)
    })
    const step = Step.safeParse(payload.step)
    if (!step.success || !expected.includes(step.data.step) || payload.jti === undefined) throw badState()
    return { id: toId(payload.jti), step: step.data }
  }

  return {
    async issue(owner, step) {
      const jti = randomBytes(24).toString('base64url')
      const expiresAt = new Date(now().getTime() + stateMs)
      await issueGithubState(db, { id: toId(jti), ...owner, purpose: toPurpose(step.step), expiresAt })
      const token = new SignJWT({ step }).setProtectedHeader({ alg: 'HS256' }).setAudience(audience).setJti(jti).setExpirationTime(expiresAt)
      return { token: await token.sign(signingKey), expiresAt }
    },
    async use<Name extends StepName>(token: string, expected: readonly Name[]) {
      const { id, step } = await read(token, expected)
      const kept = await useGithubState(db, id, now())
      if (kept?.purpose !== toPurpose(step.step)) throw badState()
      return { tenantId: kept.tenantId, reader: kept.reader, step: step as Extract<Step, { step: Name }> }
    },
    check: async (token, expected) => void (await read(token, expected)),
    verifierOf: (token) => createHmac('sha256', verifierKey).update(token).digest('base64url'),
  }
}

/** The half of a PKCE verifier that may be shown (RFC 7636, S256). */
export function toChallenge(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url')
}

function toPurpose(step: StepName): 'installation' | 'person' {
  return step === 'link' || step === 'confirm-person' ? 'person' : 'installation'
}

function toKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'nura', purpose, 32))
}

function toId(jti: string): string {
  return createHash('sha256').update(jti).digest('hex')
}

function badState(cause?: unknown): NuraError {
  return new NuraError('bad-state', 'This link was used before, is older than 15 minutes, or was not made by me. Start again in Slack.', { cause })
}
