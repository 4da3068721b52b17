import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { Measure } from './measure.ts'

/** Only what a report says beside its numbers that tells which one is meant: a part of its label, in any case. */
const Figure = z.strictObject({
  label: z.string().min(1),
  measure: Measure,
  /** The measure of the time before, where the figure is compared with it. */
  previous: Measure.optional(),
})
const List = z.strictObject({ by: z.enum(['author', 'label', 'team', 'repository', 'month']), measure: Measure })

/**
 * A question of somebody who answers for the work of others, and what the answer must say. All numbers are counted when the
 * set is asked; the set only names what is counted.
 */
const FigureQuestion = z
  .strictObject({
    question: z.string().min(1),
    /** When it is asked: what happened later is not known yet. */
    at: z.iso.datetime(),
    timeZone: z.string(),
    figures: z.array(Figure).default([]),
    /** Tables: each name in them must have its number, and none that has more may be missing. */
    lists: z.array(List).default([]),
    /** `unclear`: it cannot be read, and the answer says how to ask. `nothing`: there is no such thing, and the answer says so. */
    outcome: z.enum(['told', 'nothing', 'unclear']).default('told'),
    /** Words that the answer must have, in any case; one of several where they stand with `|` between them. */
    says: z.array(z.string()).default([]),
  })
  .refine(({ outcome, figures, lists, says }) => (outcome === 'told' ? figures.length + lists.length > 0 : says.length > 0 && (outcome === 'nothing' || figures.length + lists.length === 0)), 'must say what the answer is held against')
export type FigureQuestion = z.infer<typeof FigureQuestion>

const FigureSet = z.strictObject({
  /** The history before it is not told. */
  since: z.iso.datetime(),
  /** The first has what the others have no folder for. */
  repositories: z.array(z.strictObject({ name: z.string(), folder: z.string().optional() })).min(1),
  /** Team → logins, as `toLogin` makes them of names. */
  teams: z.record(z.string(), z.array(z.string()).min(1)),
  questions: z.array(FigureQuestion).min(1),
})
export type FigureSet = z.infer<typeof FigureSet>

export async function readFigureSet(file: URL | string): Promise<FigureSet> {
  return FigureSet.parse(JSON.parse(await readFile(file, 'utf8')))
}
