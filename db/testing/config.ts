import { NuraError } from '../nura-error.ts'

/** Which stores a test runs on: the vitest projects set `NURA_TEST_STORES`. Null: embedded; else a server's URL. */
export function readTestServer(): string | null {
  if (process.env.NURA_TEST_STORES !== 'servers') return null
  const url = process.env.NURA_TEST_DATABASE_URL
  if (!url) throw new NuraError('bad-environment', 'Set NURA_TEST_DATABASE_URL to a PostgreSQL server with pgvector, as a user who may create databases and roles.')
  return url
}

/** From now on this process has a server for its stores: for programs that bring one as the test runner does. */
export function useTestServer(url: string): void {
  Object.assign(process.env, { NURA_TEST_STORES: 'servers', NURA_TEST_DATABASE_URL: url })
}
