import { NuraError } from '#db/nura-error.ts'
import type { TenantDb } from '#db/index.ts'
import { findAnswer } from '#db/tenant/answers.ts'
import { readChunks } from '#db/tenant/chunks.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { z } from 'zod'
import type { ActivitySection } from './activity/activity-answer.ts'
import { toEvidence } from './agents/gather.ts'
import type { GraphOutcome, GraphParts } from './agents/graph-state.ts'
import { Report } from './answer-part.ts'
import { toPassage } from './retrieval/to-passage.ts'

/** What an answer rests on, as its row keeps it: chunks by id, what was counted as it was told. */
export const StoredEvidence = z.object({
  chunkIds: z.array(z.string()),
  strength: z.number(),
  sections: z.array(
    z.object({
      sentences: z.array(z.object({ text: z.string(), lists: z.array(z.int()) })),
      lists: z.array(z.object({ title: z.string(), repositoryId: z.string(), repository: z.string(), url: z.string().nullable(), lines: z.array(z.string()) })),
      report: Report,
    }) satisfies z.ZodType<ActivitySection>,
  ),
  /** As they were told, with the numbers of its citations. */
  reports: z.array(Report).default([]),
  /** Repositories that the readers of the answer could be answered from. */
  repositoryIds: z.array(z.string()),
})
export type StoredEvidence = z.infer<typeof StoredEvidence>

/** @param readable what the readers of the answer could be answered from */
export function toStoredEvidence({ retrieved, sections }: Pick<GraphOutcome, 'retrieved' | 'sections'>, reports: Report[], readable: Pick<Repository, 'id'>[]): StoredEvidence {
  const passages = retrieved?.evidence.passages ?? []
  // What was laid over the index for one question has no chunk to come back to.
  const chunkIds = passages.map(({ chunkId }) => chunkId).filter((id) => z.uuid().safeParse(id).success)
  return { chunkIds, strength: retrieved?.strength ?? 0, sections, reports, repositoryIds: readable.map(({ id }) => id) }
}

export type Retelling = { question: string } & Required<Pick<GraphParts, 'retrieve' | 'activity'>>

/**
 * The question of an earlier answer with its evidence, to be told by another agent: nothing is searched for or counted again. The
 * readers may be others than those of the answer, so what they may not be answered from is left out, and what was counted over more
 * than they may see is not told.
 *
 * @param readable what the readers may be answered from now
 * @throws NuraError `evidence-gone`
 */
export async function openRetelling(tenant: TenantDb, answerId: string, readable: Repository[]): Promise<Retelling> {
  const earlier = await findAnswer(tenant, answerId)
  const stored = StoredEvidence.safeParse(earlier?.evidence)
  if (!earlier || !stored.success) throw gone()
  const { chunkIds, strength, sections, repositoryIds } = stored.data
  const allowed = new Set(readable.map(({ id }) => id))
  const chunks = (await readChunks(tenant, chunkIds)).filter(({ repositoryId }) => allowed.has(repositoryId))
  const counted = repositoryIds.every((id) => allowed.has(id)) ? sections : []
  if (chunks.length === 0 && counted.length === 0) throw gone()
  const passages = chunks.map((row, at) => toPassage(row, { n: at + 1, score: 1 / (at + 1), legs: {} }))
  return {
    question: earlier.question,
    activity: async () => (counted.length > 0 ? { sections: counted } : null),
    retrieve: async (question) => ({ evidence: await toEvidence(tenant, question, passages, [...allowed], null), strength, trace: null, timings: {} }),
  }
}

function gone(): NuraError {
  return new NuraError('evidence-gone', 'What that answer rests on is no longer kept, or may not be shown here. Ask the question again.')
}
