import { defineEntity, p, type InferEntity } from '@mikro-orm/core'

/** A conversation and whether Nura follows it. */
export const Thread = defineEntity({
  name: 'Thread',
  tableName: 'thread',
  schema: '*',
  properties: {
    id: p.uuid().primary(),
    key: p.text().unique('thread_key_key'),
    surface: p.text(),
    subscribed: p.boolean().default(false),
    muted: p.boolean().default(false),
    agent: p.text().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p.datetime().defaultRaw('now()'),
    expiresAt: p.datetime(),
  },
})
export type Thread = InferEntity<typeof Thread>
