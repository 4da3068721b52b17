import { defineConfig } from 'vitest/config'
import { reachable, readSources } from './infra/testing/read-sources.ts'

/**
 * Without servers every test file runs on embedded stores. Where `npm test` has brought servers, whatever touches a store runs
 * on them, and what is about the stores on embedded ones too: all of `db`, the queue, what search and indexing ask of the
 * database, and a deployment from end to end. What touches no store runs once.
 */
const sources = new Map(readSources(import.meta.dirname).map((source) => [source.path, source]))
const all = [...sources.keys()].filter((path) => path.endsWith('.test.ts'))
const onStores = new Set(all.filter((path) => [...reachable(sources, path)].some((loaded) => sources.get(loaded)?.text.includes('NURA_TEST_'))))
const aboutStores = /^(db|jobs)\/|^server\/(retrieval|indexing|cache)\/|^infra\/(end-to-end|guarantees)/

const { NURA_TEST_DATABASE_URL, NURA_TEST_REDIS_URL } = process.env
const hasServers = Boolean(NURA_TEST_DATABASE_URL && NURA_TEST_REDIS_URL)
const onEmbedded = all.filter((path) => !hasServers || !onStores.has(path) || aboutStores.test(path))
const servers = { NURA_TEST_STORES: 'servers', NURA_TEST_DATABASE_URL, NURA_TEST_REDIS_URL }

/** Keys that a developer's own environment may hold, and that must not reach a test. */
const absent = Object.keys(process.env).filter((key) =>
  /^(DATABASE_URL|REDIS_URL|PORT|HOST|LOG_LEVEL|NURA_(?!TEST_).*|(SLACK|GITHUB|OPENAI|ANTHROPIC|AWS|SAGEMAKER|LANGSMITH|LANGCHAIN|OTEL|Microsoft|To(?:Bot|Channel)From)_?.*|OAuthUrl|CallerId|.*_MODELS)$/.test(key),
)
const clean = Object.fromEntries(absent.map((key) => [key, '']))

export default defineConfig({
  test: {
    // Two cores, and tests that wait for other processes as much as they work.
    maxWorkers: 4,
    // No module keeps state, so the files of one worker share what they load.
    isolate: false,
    // What is waited for comes when it comes: these only end what hangs, and a machine may be ten times as busy as another.
    testTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    projects: [
      { extends: true, test: { name: 'embedded', include: onEmbedded, env: { ...clean, NURA_TEST_STORES: 'embedded', NURA_TEST_DATABASE_URL: '', NURA_TEST_REDIS_URL: '' } } },
      ...(hasServers
        ? [{ extends: true as const, test: { name: 'servers', include: [...onStores], env: { ...clean, ...servers } } }]
        : []),
    ],
  },
})
