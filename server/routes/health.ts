import { z } from 'zod'
import type { ServerParts } from '../app.ts'
import { toFailure } from '../errors.ts'
import { defineRoute } from './route.ts'

const Checks = z.object({ status: z.enum(['ready', 'not ready']), checks: z.record(z.string(), z.string()) })

/** Alive means that this process answers. A store that is away must not have the process restarted. */
export const aliveRoute = defineRoute({
  method: 'GET',
  path: '/healthz',
  summary: 'Whether the process is alive',
  auth: 'none',
  answers: { status: 200, description: 'Alive', json: z.object({ status: z.literal('alive') }) },
  run: async () => ({ status: 200, json: { status: 'alive' } }),
})

export const readyRoute = defineRoute({
  method: 'GET',
  path: '/readyz',
  summary: 'Whether it may take traffic; 503 names what is missing',
  auth: 'none',
  answers: { status: 200, description: 'Ready', json: Checks },
  async run({ log }, parts) {
    const checks = Object.fromEntries(await Promise.all(Object.entries(parts.readiness).map(async ([name, check]) => [name, await judge(check)])))
    const failed = Object.entries(checks).filter(([, found]) => found !== 'ok')
    if (failed.length > 0) log.warn({ checks: Object.fromEntries(failed) }, 'not ready')
    return failed.length === 0 ? { status: 200, json: { status: 'ready', checks } } : { status: 503, json: { status: 'not ready', checks } }
  },
})

/** Milliseconds after which a store that does not answer counts as away. */
const patienceMs = 2_000

async function judge(check: ServerParts['readiness'][string]): Promise<string> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, patienceMs, `no answer within ${patienceMs / 1000} s`)
  })
  const found = check().then(
    () => 'ok',
    (error: unknown) => toFailure(error).error.message,
  )
  return Promise.race([found, late]).finally(() => clearTimeout(timer))
}
