import type { TenantDb } from '#db/index.ts'
import { readCorpus } from '#db/tenant/corpus.ts'
import { readRepeatable } from '#db/tenant/repeatable-answer.ts'
import type { RepeatableAnswer } from '#db/tenant/repeatable-answer.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { agents } from './agents/index.ts'
import type { AgentName } from './agents/index.ts'
import { promptVersion } from './agents/prompt.ts'
import type { GraphOutcome } from './agents/graph-state.ts'
import type { Cache } from './cache/cache.ts'
import { toCacheKey } from './cache/cache-key.ts'
import type { KeyPart } from './cache/cache-key.ts'
import type { ChatModel } from './models/chat-model.ts'
import type { DecidedAudience } from './retrieval/audience.ts'
import type { SearchResult } from './retrieval/search.ts'
import { answersLastMs } from './retention.ts'

/** All that an answer depends on, once it is certain that nothing was said before. */
export type RepeatableQuestion = {
  text: string
  /** The agent that was asked for; else it follows from the text. */
  agent: string | null
  /** Who answers where the text does not speak clearly for another. */
  prefer: string | null
  audience: DecidedAudience
  repository: string | null
  /** What the audience may be answered from now. */
  readable: Repository[]
  models: Record<AgentName, readonly ChatModel[]>
}

/** One question's place among those asked before. */
export type Repeat = {
  /** The answer to the same question; null where there is none, or it is not to be given again. */
  find(): Promise<RepeatableAnswer | null>
  keep(answerId: string): void
}
export type AnswerRepeats = { of(tenant: TenantDb, question: RepeatableQuestion): Promise<Repeat> }

/**
 * Finds the answer to a question that was asked before: by the same readers, of the same repositories at the same commits
 * and the same state of the index, with the same models and prompts.
 *
 * The cache holds the answer's id alone. Its text is read from its row, so that what was deleted, or is out of date, is not
 * given again whatever the cache says.
 */
export function createAnswerRepeats(cache: Cache): AnswerRepeats {
  return {
    async of(tenant, question) {
      const { indexVersion, activeSpace } = await readCorpus(tenant)
      const key = toCacheKey('answer', tenant.id, [String(indexVersion), activeSpace, ...toKeyParts(question)])
      return {
        async find() {
          const answerId = await cache.get(key)
          return answerId === null ? null : readRepeatable(tenant, answerId)
        },
        keep: (answerId) => void cache.set(key, answerId, answersLastMs),
      }
    },
  }
}

function toKeyParts({ text, agent, prefer, audience, repository, readable, models }: RepeatableQuestion): KeyPart[] {
  return [
    text.replace(/\s+/g, ' '),
    agent,
    prefer,
    repository,
    [audience.kind, ...('id' in audience ? [audience.id] : 'ids' in audience ? audience.ids.toSorted() : [])],
    // A new name, address or commit is another place to cite, though nothing of the index changed.
    readable.map(({ id, name, url, defaultBranch, indexedSha }) => [id, name, url ?? null, defaultBranch ?? null, indexedSha ?? null]).toSorted(),
    agents.map((each) => [each.name, promptVersion(each), models[each.name].map(({ id }) => id)]),
  ]
}

/**
 * Whether an answer is one that the same question would get again: of one agent, found in the sources, by the first model of its chain,
 * with every leg of the search, from exactly the repositories that the key names.
 * @param isCurtailed the day's budget chose the model
 */
export function isWorthRepeating({ models, readable }: RepeatableQuestion, outcome: GraphOutcome, result: SearchResult | undefined, isCurtailed: boolean): boolean {
  const last = outcome.calls.at(-1)
  const isFirstChoice = last?.outcome === 'answered' && last.model === models[outcome.choice.agent][0]?.id
  const searched = result?.repositories.map(({ id }) => id).toSorted().join()
  const isSameRights = searched === readable.map(({ id }) => id).toSorted().join()
  return !outcome.abstained && outcome.views.length === 1 && !isCurtailed && isFirstChoice && isSameRights && result?.degraded === null
}
