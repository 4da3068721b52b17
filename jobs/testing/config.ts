/** Redis for tests; null when this run has none, as with embedded stores. */
export function testRedisUrl(): string | null {
  return process.env.NURA_TEST_REDIS_URL?.trim() || null
}
