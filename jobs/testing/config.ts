/** Redis for tests; null when this run has none, as with embedded stores. */
export function testRedisUrl(): string | null {
  return process.env.NURA_TEST_REDIS_URL?.trim() || null
}

/** From now on this process has a Redis: for programs that bring one as the test runner does. */
export function useTestRedis(url: string): void {
  process.env.NURA_TEST_REDIS_URL = url
}

/** Which of the test runner's workers this is, counted from 1; the files of one worker run one after another. */
export function testWorker(): number {
  return Number(process.env.VITEST_POOL_ID ?? 0)
}
