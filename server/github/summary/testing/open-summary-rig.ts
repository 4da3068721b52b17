import { pino } from 'pino'
import { findPullRequest } from '#db/tenant/pull-requests.ts'
import type { PullRequest } from '#db/tenant/pull-requests.ts'
import { addRepository, findRepository, updateRepository } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { createExtractive } from '../../../models/extractive.ts'
import type { ChatModel, ChatRequest } from '../../../models/chat-model.ts'
import { createGithubSource } from '../../../sources/github.ts'
import type { FakePull } from '../../../testing/fake-github/fake-pull.ts'
import type { FakeRepository } from '../../../testing/fake-github/fake-repository.ts'
import type { TestGithub } from '../../../testing/open-test-github.ts'
import { summarisePullRequest } from '../summarise.ts'
import type { SummaryParts, SummaryRequest } from '../summarise.ts'

/** A chat model that says what the test lets it say, and remembers what it was asked. */
export type SaidModel = ChatModel & { requests: ChatRequest[]; say: (request: ChatRequest, signal: AbortSignal) => string | Promise<string> }

export function createSaidModel(say: SaidModel['say'] = () => 'Orders are paid in one step [1].'): SaidModel {
  const model: SaidModel = {
    id: 'said:default',
    limits: { inputTokens: 32_000, outputTokens: 1_000 },
    price: { input: 1, output: 1 },
    requests: [],
    say,
    async *stream(request, signal) {
      model.requests.push(request)
      const text = await model.say(request, signal)
      signal.throwIfAborted()
      yield { kind: 'text', text }
      yield { kind: 'usage', inputTokens: 100, outputTokens: 10 }
    },
  }
  return model
}

type Files = Parameters<FakeRepository['commit']>[0]

/** A repository on the fake GitHub that a tenant has connected, and runs of the summary job on its pull requests. */
export async function openSummaryRig(setup: TestGithub, { files, env = {}, ...options }: { files: Files; env?: Record<string, string> } & Partial<Omit<SummaryParts, 'github'>>) {
  const { tenant, installation } = await setup.install()
  const fake = await setup.github.addRepository({ installation, name: 'shop', files: files as Record<string, string> })
  const github = setup.openApp({}, { GITHUB_SUMMARY_INTERVAL: '0', ...env })
  const added = await addRepository(tenant, { name: fake.fullName, source: 'github', location: fake.fullName })
  const { id } = await updateRepository(tenant, added.id, { externalId: fake.id, installationId: installation.id, state: 'ready' } as Partial<Repository>)
  const queued: { name: string; payload: unknown; delayMs: number }[] = []
  const parts: SummaryParts = {
    github,
    openSource: ({ location, installationId }) => createGithubSource(github, { location, externalId: fake.id, installationId }),
    models: [createExtractive()],
    dayTokens: null,
    enqueue: async (name, payload, { delayMs = 0 } = {}) => void queued.push({ name, payload, delayMs }),
    watchMs: 10,
    ...options,
  }
  const repo = new RegExp(`^/repos/${fake.fullName}/`)
  return {
    tenant, installation, fake, parts, queued, github, repositoryId: id,
    run: (pull: Pick<FakePull, 'number'>, request: Partial<SummaryRequest> = {}) =>
      summarisePullRequest(parts, tenant, { repositoryId: id, number: pull.number, signal: new AbortController().signal, attempt: 1, lastAttempt: false, log: pino({ level: 'silent' }), ...request }),
    settings: (change: Partial<Repository>) => updateRepository(tenant, id, change),
    repository: async (): Promise<Repository> => (await findRepository(tenant, id))!,
    row: async (pull: Pick<FakePull, 'number'>): Promise<PullRequest> => (await findPullRequest(tenant, id, pull.number))!,
    /** Comments of the App, as people see them. */
    ours: (pull: FakePull) => pull.comments.filter(({ user }) => user.login === 'nura[bot]'),
    writes: () => setup.github.calls.filter(({ method, path }) => method !== 'GET' && repo.test(path)).map(({ method, path }) => `${method} ${path.replace(repo, '').replace(/\d+$/, ':id')}`),
    calls: (method: string, path: RegExp) => setup.github.callsTo(method, repo).filter((call) => path.test(call.path)),
  }
}

export type SummaryRig = Awaited<ReturnType<typeof openSummaryRig>>
