import { expect, it } from 'vitest'
import { readEnv } from '#db/read-env.ts'
import { toJobsConfig } from '#jobs/config.ts'
import { cacheEnv, toCacheConfig } from './config.ts'

const read = (env: Record<string, string>, redisUrl: string | null = null) => toCacheConfig(readEnv(cacheEnv, env), { redisUrl, prefix: 'nura' })

it('is in memory where nothing is set, in the queue’s Redis where there is one, else where it is said to be', () => {
  expect(read({})).toEqual({ url: null, prefix: 'nura-cache:', answers: true })
  expect(read({}, 'redis://queue:6379').url).toBe('redis://queue:6379')
  expect(read({ NURA_CACHE_URL: 'redis://cache:6379' }, 'redis://queue:6379').url).toBe('redis://cache:6379')
  expect(read({ NURA_CACHE_URL: 'memory' }, 'redis://queue:6379').url).toBeNull()
  expect(read({ NURA_ANSWER_CACHE: 'off' }).answers).toBe(false)
})

it('gives each data folder that shares a Redis keys of its own', () => {
  const prefixes = ['/a', '/b'].map((dataDir) => toCacheConfig(readEnv(cacheEnv, {}), toJobsConfig({ REDIS_URL: 'redis://one' }, { url: null, dataDir })).prefix)
  expect(new Set(prefixes).size).toBe(2)
})

it.each<Record<string, string>>([{ NURA_CACHE_URL: 'http://cache' }, { NURA_CACHE_URL: 'off' }, { NURA_ANSWER_CACHE: 'yes' }])('refuses %j', (env) => {
  expect(() => read(env)).toThrow(`  ${Object.keys(env)[0]}: `)
})
