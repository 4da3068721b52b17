import { z } from 'zod'
import type { TenantDb } from '#db/index.ts'
import { answersInThread } from '#db/tenant/answers.ts'
import { readThreadRows, toThreadRow } from '#db/tenant/thread-rows.ts'
import { toStorable } from '#db/text.ts'
import type { Turn } from './agents/memory.ts'
import type { Cache } from './cache/cache.ts'
import { toCacheKey } from './cache/cache-key.ts'
import { memoryLastsMs } from './retention.ts'

/** What is remembered of a thread, and which rows it is. */
export type Remembered = { agent: string | null; rows: string[]; turns: Turn[] }

/** A thread's memory: its own rows, mirrored in the cache. */
export type ThreadMemory = {
  /** The newest turns, oldest first, exactly as the rows have them now. */
  recall(tenant: TenantDb, key: string): Promise<Remembered>
  /** Mirrors a turn that was just stored, so that the next question need not read the thread's text. */
  keep(tenant: TenantDb, key: string, before: Remembered, turn: Turn & { answerId: string }): void
  /** Takes a thread's text out of the cache. */
  forget(tenant: TenantDb, key: string): Promise<void>
}

/** Turns of a thread that are read at all; the budget in tokens cuts further. */
const mostTurns = 12

const Mirrored = z.object({ rows: z.array(z.string()), turns: z.array(z.object({ question: z.string(), markdown: z.string(), abstained: z.boolean() })) })

/**
 * The mirror says which rows it was made of, and counts only while the thread has those very rows: one small statement, sent
 * beside the look-up, tells. So no lost write, no other process and no deletion can make it older than the rows.
 * @param cache null: the rows are read every time.
 */
export function createThreadMemory(cache: Cache | null): ThreadMemory {
  const toKey = (tenant: TenantDb, key: string) => toCacheKey('thread', tenant.id, [key])
  const mirror = (tenant: TenantDb, key: string, { rows, turns }: Omit<Remembered, 'agent'>) =>
    void cache?.set(toKey(tenant, key), JSON.stringify({ rows: rows.slice(-mostTurns), turns: turns.slice(-mostTurns) }), memoryLastsMs)

  return {
    async recall(tenant, key) {
      const [thread, value] = await Promise.all([readThreadRows(tenant, key, mostTurns), cache?.get(toKey(tenant, key)) ?? null])
      if (!thread || thread.rows.length === 0) return { agent: thread?.agent ?? null, rows: [], turns: [] }
      const mirrored = fromValue(value)
      if (mirrored?.rows.join() === thread.rows.join()) return { agent: thread.agent, ...mirrored }
      const answers = await answersInThread(tenant, key, mostTurns)
      const read = { rows: answers.map(toThreadRow), turns: answers.map(toTurn) }
      mirror(tenant, key, read)
      return { agent: thread.agent, ...read }
    },
    keep: (tenant, key, before, { answerId, ...turn }) =>
      mirror(tenant, key, { rows: [...before.rows, toThreadRow({ id: answerId, markdown: turn.markdown })], turns: [...before.turns, toTurn(turn)] }),
    async forget(tenant, key) {
      await cache?.drop(toKey(tenant, key))
    },
  }
}

/** As the row has it. */
function toTurn({ question, markdown, abstained }: Turn): Turn {
  return { question: toStorable(question), markdown: toStorable(markdown), abstained }
}

function fromValue(value: string | null): z.infer<typeof Mirrored> | null {
  if (value === null) return null
  try {
    return Mirrored.parse(JSON.parse(value))
  } catch {
    return null
  }
}
