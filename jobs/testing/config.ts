/** Redis for tests; null when this run has none. */
export function testRedisUrl(): string | null {
  return process.env.NURA_TEST_STORES !== 'servers' ? null : process.env.NURA_TEST_REDIS_URL?.trim() || null
}
