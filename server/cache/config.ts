import { z } from 'zod'
import { readEnv } from '#db/read-env.ts'

/** Environment keys of what is kept beside the database, for `readEnv`. */
export const cacheEnv = {
  NURA_CACHE_URL: z
    .string()
    .regex(/^(rediss?:\/\/.+|memory)$/, 'write it as redis://host:6379, or "memory" to keep it in each process, or leave it out: REDIS_URL is used')
    .optional(),
  NURA_ANSWER_CACHE: z.enum(['on', 'off'], 'must be "on" or "off"').default('on'),
}

export type CacheEnv = z.output<z.ZodObject<typeof cacheEnv>>
export type CacheConfig = {
  /** Null: in the memory of each process. */
  url: string | null
  /** Start of every key in Redis. */
  prefix: string
  /** Whether the answer to a question that is asked again may be an earlier one. */
  answers: boolean
}

/** @param queue where the queue of the same deployment lives; see `JobsConfig`. */
export function toCacheConfig(env: CacheEnv, queue: { redisUrl: string | null; prefix: string }): CacheConfig {
  const url = env.NURA_CACHE_URL ?? queue.redisUrl
  return { url: url === 'memory' ? null : url, prefix: `${queue.prefix}-cache:`, answers: env.NURA_ANSWER_CACHE === 'on' }
}

/** @throws NuraError `bad-environment` */
export function readCacheEnv(env: NodeJS.ProcessEnv = process.env): CacheEnv {
  return readEnv(cacheEnv, env)
}
