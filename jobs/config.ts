import { createHash } from 'node:crypto'
import { z } from 'zod'
import { readEnv } from '#db/read-env.ts'

/** Environment keys of the queue, for `readEnv`. */
export const jobsEnv = {
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\/./, 'write it as redis://host:6379, or leave it out: the queue then lives in the database')
    .optional(),
}

export type JobsEnv = z.output<z.ZodObject<typeof jobsEnv>>
export type JobsConfig = {
  /** Null: the queue lives in the database. */
  redisUrl: string | null
  /** Start of every key in Redis. */
  prefix: string
}

/**
 * A Redis beside the embedded database is allowed: the database is the record, the queue only a hint. But two data folders
 * may then share one Redis, and would take each other's hints, so each folder has a prefix of its own.
 *
 * @param store the database this queue gives hints about; see `DbConfig`.
 */
export function toJobsConfig(env: JobsEnv, store: { url: string | null; dataDir: string }): JobsConfig {
  const prefix = store.url === null ? `nura-${createHash('sha256').update(store.dataDir).digest('hex').slice(0, 12)}` : 'nura'
  return { redisUrl: env.REDIS_URL ?? null, prefix }
}

/** @throws NuraError `bad-environment` */
export function readJobsEnv(env: NodeJS.ProcessEnv = process.env): JobsEnv {
  return readEnv(jobsEnv, env)
}
