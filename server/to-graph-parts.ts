import type { TenantDb } from '#db/index.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { gather } from './agents/gather.ts'
import type { GraphParts } from './agents/graph-state.ts'
import { findAgent } from './agents/index.ts'
import { toSearchText } from './agents/search-text.ts'
import { findWhoKnows, writeWhoKnows } from './agents/who-knows.ts'
import type { AnswerParts, Question } from './answer.ts'
import { createChangedAt } from './changed-at.ts'
import { placeholders } from './indexing/redact.ts'
import { observeCall } from './observe-call.ts'
import { enough } from './retrieval/evidence-strength.ts'
import { search } from './retrieval/search.ts'
import { surfaceOf } from './store-answer.ts'
import type { Found } from './store-answer.ts'

/**
 * What the graph may do for one question, bound to its tenant and audience.
 * @param found filled with what the turn comes across
 * @param repositories those that the audience may be answered from
 */
export function toGraphParts(
  parts: AnswerParts,
  tenant: TenantDb,
  { audience, repository, overlay, thread, timeZone = 'UTC' }: Question,
  found: Found,
  repositories: ReadonlyMap<string, Repository>,
  trace: string,
  signal: AbortSignal,
): GraphParts {
  const now = parts.now ?? (() => new Date())
  return {
    models: parts.models,
    leastStrength: enough,
    tracer: parts.langsmith?.tracerOf(tenant),
    now,
    onCall(agent, call) {
      found.calls.push({ agent, call })
      observeCall(parts, agent, call, trace)
    },
    async whoKnows(nearest) {
      found.whoKnows = await findWhoKnows({ openSource: parts.openSource, now }, tenant, nearest, repositories, signal)
      return found.whoKnows && writeWhoKnows(found.whoKnows, now(), { mayCall: surfaceOf(thread) === 'github' })
    },
    activity: async (text, before) => (await parts.answerActivity?.({ now }, tenant, { text, before, timeZone, readable: [...repositories.values()], repository })) ?? null,
    changedAt: createChangedAt(parts, repositories, signal),
    repositories: async () => [...repositories.values()].map(({ id, name, indexedAt }) => ({ id, name, indexedAt: indexedAt ?? null })),
    async retrieve(asked, agentName) {
      const agent = findAgent(agentName)
      // What stands for a secret is no word of the question.
      const question = asked.replace(placeholders, ' ')
      const { text, isGeneral } = toSearchText(question, [...repositories.values()].map(({ name }) => name))
      const result = await search(parts, tenant, { question: text, audience, repository, overlay, profile: agent.profile, signal })
      found.result = result
      for (const [leg, ms] of Object.entries(result.timings)) parts.metrics?.retrieval.observe({ leg }, ms / 1000)
      const ids = result.repositories.map(({ id }) => id)
      const gatherStarted = performance.now()
      const evidence = await tenant.snapshot((snapshot) => gather(snapshot, { question, isGeneral }, result.passages, ids, agent.lens, result.overlay))
      const isNamed = evidence.symbols.some(({ name }) => result.query.names.includes(name.toLowerCase()))
      const strength = evidence.passages.length > 0 && (isGeneral || isNamed) ? 1 : result.strength.value
      return { evidence, strength, trace: result.trace, timings: { ...result.timings, gather: performance.now() - gatherStarted } }
    },
  }
}
