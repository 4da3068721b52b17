import { z } from 'zod'
import type { Fate, ThumbsDown } from '#db/tenant/thumbs-down.ts'
import { Citation } from '#server/answer-part.ts'
import { Asked } from '#server/asked.ts'
import type { Question } from '#server/answer.ts'

/** The part of a trace that says what an answer was told from. */
const Trace = z.object({
  chosen: z.object({ isWish: z.boolean().optional() }).optional(),
  searchedFor: z.string().nullable().optional(),
  strength: z.number().optional(),
  counted: z.array(z.unknown()).optional(),
  passages: z.array(z.object({ repository: z.string() })).default([]),
})
const Evidence = z.object({ repositoryIds: z.array(z.string()) })

/** An answer that was found bad, as it can be asked for again; `lacking` says what is not kept that it was asked with. */
export type Case = {
  row: ThumbsDown
  citations: Citation[]
  strength: number | null
  question: Omit<Question, 'text'> | null
  lacking: string[]
}

/** What stands for a replay in what must name an asker. Nothing is written down under it. */
const replayer = 'eval:replay'
const besides: Record<Asked['beside'][number], string> = {
  conversation: 'the conversation around it',
  overlay: 'the files of its pull request',
  retold: 'the evidence of the answer that it told anew',
}

export function toCase(row: ThumbsDown, turns: number): Case {
  const trace = Trace.safeParse(row.trace).data
  const asked = Asked.safeParse(row.asked).data
  const isFollowUp = Boolean(trace?.searchedFor) && turns === 0
  const wish = trace?.chosen?.isWish || asked?.beside.includes('retold') ? row.agent : null
  return {
    row,
    citations: z.array(Citation).catch([]).parse(row.citations),
    strength: trace?.strength ?? null,
    question: asked
      ? {
          audience: asked.audience,
          asker: replayer,
          ...(row.thread !== null && { thread: row.thread }),
          ...(wish !== null && { agent: wish }),
          ...(asked.prefer !== null && { prefer: asked.prefer }),
          ...(asked.repository !== null && { repository: asked.repository }),
          ...(asked.timeZone !== null && { timeZone: asked.timeZone }),
        }
      : null,
    lacking: [...(asked ? asked.beside.map((each) => besides[each]) : ['who was to read it']), ...(isFollowUp ? ['the question before it'] : [])],
  }
}

/**
 * Whether an answer was told from nothing but repositories that everyone in the tenant may be answered from. One that has the name
 * of another from before is not that one.
 * @param repositoryIds what its readers could be answered from: what was counted was counted over all of them
 * @param open names of the repositories that are open, by id
 */
export function isFromOpen(trace: unknown, repositoryIds: string[], open: ReadonlyMap<string, string>): boolean {
  const told = Trace.safeParse(trace).data
  if (!told) return false
  const names = new Set(repositoryIds.map((id) => open.get(id)))
  return told.passages.every(({ repository }) => names.has(repository)) && ((told.counted ?? []).length === 0 || repositoryIds.every((id) => open.has(id)))
}

/** What the readers of a stored answer could be answered from. */
export function repositoryIdsOf({ evidence }: Pick<ThumbsDown, 'evidence'>): string[] | null {
  return Evidence.safeParse(evidence).data?.repositoryIds ?? null
}

export type CitedThen = Pick<Citation, 'repository' | 'path' | 'startLine' | 'endLine' | 'sha'> & { fate: Fate | null; isCitedNow: boolean }
export type CitedNow = Pick<Citation, 'repository' | 'path' | 'startLine' | 'endLine' | 'sha'> & { wasCitedThen: boolean }

/**
 * What was cited then beside what is cited now: the same place where the lines of one file meet.
 * @param isAlike false where the one answers and the other does not: then nothing of the one is in the other
 */
export function compareCited(before: Citation[], now: Citation[], fates: ReadonlyMap<number, Fate>, isAlike: boolean): { before: CitedThen[]; now: CitedNow[] } {
  const meets = (one: Citation, other: Citation) => isAlike && one.repository === other.repository && one.path === other.path && one.startLine <= other.endLine && other.startLine <= one.endLine
  const place = ({ repository, path, startLine, endLine, sha }: Citation) => ({ repository, path, startLine, endLine, sha })
  return {
    before: before.map((each) => ({ ...place(each), fate: fates.get(each.n) ?? null, isCitedNow: now.some((other) => meets(each, other)) })),
    now: now.map((each) => ({ ...place(each), wasCitedThen: before.some((other) => meets(each, other)) })),
  }
}
