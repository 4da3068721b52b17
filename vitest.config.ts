import { defineConfig } from 'vitest/config'
import { reachable, readSources } from './infra/testing/read-sources.ts'

/**
 * Every test file runs in the project `embedded`. Those whose result hangs on the stores, which is those that load a file
 * that reads `NURA_TEST_…`, run in the project `servers` too, where `npm test` has brought the servers.
 */
const sources = new Map(readSources(import.meta.dirname).map((source) => [source.path, source]))
const all = [...sources.keys()].filter((path) => path.endsWith('.test.ts'))
const onStores = all.filter((path) => [...reachable(sources, path)].some((loaded) => sources.get(loaded)?.text.includes('NURA_TEST_')))

const { NURA_TEST_DATABASE_URL, NURA_TEST_REDIS_URL } = process.env
const servers = { NURA_TEST_STORES: 'servers', NURA_TEST_DATABASE_URL, NURA_TEST_REDIS_URL }

/** Keys that a developer's own environment may hold, and that must not reach a test. */
const absent = Object.keys(process.env).filter((key) =>
  /^(DATABASE_URL|REDIS_URL|PORT|HOST|LOG_LEVEL|NURA_(?!TEST_).*|(SLACK|GITHUB|OPENAI|ANTHROPIC|LANGSMITH|OTEL|Microsoft)_?.*|.*_MODELS)$/.test(key),
)
const clean = Object.fromEntries(absent.map((key) => [key, '']))

export default defineConfig({
  test: {
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    projects: [
      { extends: true, test: { name: 'embedded', include: all, env: { ...clean, NURA_TEST_STORES: 'embedded' } } },
      ...(NURA_TEST_DATABASE_URL && NURA_TEST_REDIS_URL
        ? [{ extends: true as const, test: { name: 'servers', include: onStores, env: { ...clean, ...servers } } }]
        : []),
    ],
  },
})
