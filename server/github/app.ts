import { createAppAuth } from '@octokit/auth-app'
import { LRUCache } from 'lru-cache'
import { Octokit } from 'octokit'
import type { Db } from '#db/index.ts'
import type { Logger } from '../log.ts'
import { toGithubError } from './api-error.ts'
import type { GithubConfig } from './config.ts'
import { createInstallationCalls } from './installation-calls.ts'
import { createInstallationTokens } from './installation-tokens.ts'
import { sendCall } from './send-call.ts'
import { toConditionalFetch, wholeFetch } from './whole-fetch.ts'
import type { Fetch, KeptAnswer } from './whole-fetch.ts'

/**
 * The one way to GitHub's API. Every call may carry `request: { signal }`, and throws NuraErrors: `github-not-found`,
 * `github-forbidden`, `github-unauthorized`, `github-rate-limited` (with `retryAt`), `github-unavailable` (retryable; a
 * write may have been carried out), `github-refused` for every other status, which `githubStatusOf` tells.
 */
export type GithubApp = {
  readonly config: GithubConfig
  /** Who the App is; asked once. Its comments are written by `${slug}[bot]`. */
  identity(signal?: AbortSignal): Promise<{ id: number; slug: string; name: string }>
  /** With the App's own key: `/app/…` only. */
  asApp(): Octokit
  /** As one installation, by the rules of `createInstallationCalls`; also throws `github-not-installed`. */
  as(installationId: number): Octokit
  /** As the person whose token this is. */
  asUser(token: string): Octokit
}

export type GithubAppRig = { db: Db; log: Logger; /** Milliseconds of the epoch. */ now?: () => number; /** Longest wait for an answer. */ timeoutMs?: number }

/** Bytes of answers that are kept to be asked for with their etag. */
const keptBytes = 64 * 1024 * 1024

export function createGithubApp(config: GithubConfig, { db, log, now = Date.now, timeoutMs = 30_000 }: GithubAppRig): GithubApp {
  const cache = new LRUCache<string, KeptAnswer>({ maxSize: keptBytes, sizeCalculation: ({ bytes }) => bytes.byteLength + 1024 })
  const tokens = createInstallationTokens(asApp, now)
  const call = createInstallationCalls({ db, tokens, writeIntervalMs: config.writeIntervalMs, timeoutMs, now })
  const octokitLog = toOctokitLog(log)
  let known: { id: number; slug: string; name: string } | undefined

  /** octokit's own retries and throttling are off: they would send a POST again and sleep out a limit. */
  function open(options: { fetch?: Fetch; authStrategy?: unknown; auth?: unknown }): Octokit {
    const { fetch = wholeFetch, ...rest } = options
    return new Octokit({
      ...rest,
      baseUrl: config.apiUrl,
      userAgent: 'nura',
      log: octokitLog,
      request: { fetch, log: octokitLog },
      retry: { enabled: false },
      throttle: { enabled: false },
    })
  }

  /** For calls that belong to no installation. */
  function withErrors(octokit: Octokit): Octokit {
    octokit.hook.wrap('request', async (request, options) => {
      try {
        return await sendCall((sent) => Promise.resolve(request(sent as typeof options)), options as never, timeoutMs, options.method === 'GET')
      } catch (error) {
        throw toGithubError(error, `${options.method} ${options.url}`, now(), 0)
      }
    })
    return octokit
  }

  function asApp(): Octokit {
    return withErrors(open({ authStrategy: createAppAuth, auth: { appId: config.appId, privateKey: config.privateKey, log: octokitLog } }))
  }

  return {
    config,
    asApp,
    asUser: (token) => withErrors(open({ auth: token })),

    as(installationId) {
      const octokit = open({ fetch: toConditionalFetch(wholeFetch, cache, String(installationId)) })
      octokit.hook.wrap('request', (request, options) => call(installationId, options as never, (sent) => Promise.resolve(request(sent as typeof options))))
      return octokit
    },

    async identity(signal) {
      if (known) return known
      const { data } = await asApp().rest.apps.getAuthenticated({ request: { signal } })
      if (!data?.slug) throw new Error('GET /app told no slug')
      known = { id: data.id, slug: data.slug, name: data.name }
      return known
    },
  }
}

/** octokit's warnings, such as of deprecated routes, are for developers. */
function toOctokitLog(log: Logger) {
  const line = (message: string) => log.debug({ octokit: String(message).slice(0, 300) }, 'octokit')
  return { debug: line, info: line, warn: line, error: line }
}
