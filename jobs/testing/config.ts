/** Redis for tests; null when this run has none. With one, what needs Redis runs beside the embedded database too. */
export function testRedisUrl(): string | null {
  return process.env.NURA_TEST_REDIS_URL?.trim() || null
}
