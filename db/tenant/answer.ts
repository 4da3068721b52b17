import { defineEntity, p, type InferEntity } from '@mikro-orm/core'

/** One stored answer, with what it rests on and how it came about. */
export const Answer = defineEntity({
  name: 'Answer',
  tableName: 'answer',
  schema: '*',
  properties: {
    id: p.uuid().primary(),
    threadId: p.uuid().nullable(),
    /** Who asked, such as `slack:T0123:U0456`. */
    asker: p.text(),
    question: p.text(),
    agent: p.text(),
    markdown: p.text(),
    abstained: p.boolean(),
    citations: p.json<unknown[]>().defaultRaw(`'[]'`),
    trace: p.json<Record<string, unknown>>().defaultRaw(`'{}'`),
    usage: p.json<Record<string, unknown>>().defaultRaw(`'{}'`),
    /** What it rests on, to be told again: ids of chunks, and what was counted. */
    evidence: p.json<Record<string, unknown>>().nullable(),
    /** How it was asked for beside its words: for whom, of what, by which wish. Null for one of before this was kept. */
    asked: p.json<Record<string, unknown>>().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    expiresAt: p.datetime(),
    /** Commit at which something it cites was gone; null while all of it stands. */
    changedSha: p.text().nullable(),
    /** When its readers were told so, or it was found that nobody is to be told. */
    toldAt: p.datetime().nullable(),
  },
})
export type Answer = InferEntity<typeof Answer>
