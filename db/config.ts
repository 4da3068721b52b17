import { resolve } from 'node:path'
import { z } from 'zod'
import { readEnv } from './read-env.ts'

const url = z.string().regex(/^postgres(ql)?:\/\/./, 'write it as postgres://user:password@host:5432/database, or leave it out for the embedded store')
const isKey = (text: string) => Buffer.from(text, 'base64').length === 32
const isKmsKey = (text: string) => /^(arn:[^:\s]+:kms:[^\s,]+|alias\/[\w/-]+|(mrk-)?[0-9a-f-]{32,36})$/.test(text)
const key = z.string().refine(isKey, 'give 32 random bytes in base64: openssl rand -base64 32')
const kmsKey = z.string().refine(isKmsKey, 'name a symmetric key of AWS KMS by its ARN, its id or alias/NAME')
const previousKeys = z
  .string()
  .transform((text) => text.split(',').map((each) => each.trim()).filter((each) => each !== ''))
  .refine((keys) => keys.every((each) => isKmsKey(each) || isKey(each)), 'give master keys of before, separated by commas: each 32 bytes in base64, or a key of AWS KMS as in NURA_KMS_KEY')

/** Environment keys of the data layer, for `readEnv`. */
export const dbEnv = {
  DATABASE_URL: url.optional(),
  NURA_DATA_DIR: z.string().default('.nura'),
  NURA_ENCRYPTION_KEY: key.optional(),
  NURA_ENCRYPTION_KEY_PREVIOUS: previousKeys.optional(),
  NURA_KMS_KEY: kmsKey.optional(),
}

export type DbEnv = z.output<z.ZodObject<typeof dbEnv>>

export type DbConfig = {
  /** PostgreSQL; null for the embedded store in `dataDir`. */
  url: string | null
  /** Absolute path, or `memory://` for an embedded store that dies with the process. */
  dataDir: string
  /** 32 bytes that wrap the keys of tokens at rest; null: the embedded store makes its own, PostgreSQL then stores no tokens. */
  encryptionKey: Buffer | null
  /** Master keys of before, which unwrap only: 32 bytes each, or the name of a key of AWS KMS. */
  previousKeys?: readonly (Buffer | string)[]
  /** A key of AWS KMS that wraps in place of `encryptionKey`. */
  kmsKey?: string | null
  /** Most connections of this process to PostgreSQL, those of the queue not counted. */
  poolSize: number
  /** Milliseconds that a transaction waits for one of them to be free; 5000 where nothing is said. */
  poolWaitMs?: number
  /** What a store in memory begins as: a dump of another, which opens sooner than a new one. */
  template?: Blob
}

export function toDbConfig(env: DbEnv): DbConfig {
  return {
    url: env.DATABASE_URL ?? null,
    dataDir: resolve(env.NURA_DATA_DIR),
    encryptionKey: env.NURA_ENCRYPTION_KEY ? Buffer.from(env.NURA_ENCRYPTION_KEY, 'base64') : null,
    previousKeys: (env.NURA_ENCRYPTION_KEY_PREVIOUS ?? []).map((each) => (isKmsKey(each) ? each : Buffer.from(each, 'base64'))),
    kmsKey: env.NURA_KMS_KEY ?? null,
    poolSize: 10,
  }
}

/** @throws NuraError `bad-environment` */
export function readDbConfig(env: NodeJS.ProcessEnv = process.env): DbConfig {
  return toDbConfig(readEnv(dbEnv, env))
}
