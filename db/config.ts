import { resolve } from 'node:path'
import { z } from 'zod'
import { readEnv } from './read-env.ts'

const url = z.string().regex(/^postgres(ql)?:\/\/./, 'write it as postgres://user:password@host:5432/database, or leave it out for the embedded store')
const key = z.string().refine((text) => Buffer.from(text, 'base64').length === 32, 'give 32 random bytes in base64: openssl rand -base64 32')

/** Environment keys of the data layer, for `readEnv`. */
export const dbEnv = {
  DATABASE_URL: url.optional(),
  NURA_DATA_DIR: z.string().default('.nura'),
  NURA_ENCRYPTION_KEY: key.optional(),
}

export type DbEnv = z.output<z.ZodObject<typeof dbEnv>>

export type DbConfig = {
  /** PostgreSQL; null for the embedded store in `dataDir`. */
  url: string | null
  /** Absolute path, or `memory://` for an embedded store that dies with the process. */
  dataDir: string
  /** 32 bytes that encrypt tokens at rest; null: the embedded store makes its own, PostgreSQL then stores no tokens. */
  encryptionKey: Buffer | null
  /** Most connections of this process to PostgreSQL, those of the queue not counted. */
  poolSize: number
  /** What a store in memory begins as: a dump of another, which opens sooner than a new one. */
  template?: Blob
}

export function toDbConfig(env: DbEnv): DbConfig {
  return {
    url: env.DATABASE_URL ?? null,
    dataDir: resolve(env.NURA_DATA_DIR),
    encryptionKey: env.NURA_ENCRYPTION_KEY ? Buffer.from(env.NURA_ENCRYPTION_KEY, 'base64') : null,
    poolSize: 10,
  }
}

/** @throws NuraError `bad-environment` */
export function readDbConfig(env: NodeJS.ProcessEnv = process.env): DbConfig {
  return toDbConfig(readEnv(dbEnv, env))
}
