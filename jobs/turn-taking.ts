/**
 * Lets tenants take turns in a queue that is served by priority: what a tenant leaves at its ease stands at 1, what it leaves
 * beyond one job every `paceMs` stands the further back the faster it came. Ten thousand jobs of one tenant are then served
 * when nobody else waits, and two tenants with a backlog each are served in turn.
 *
 * Nobody counts what still waits, so nothing must be shared or kept: this is the virtual clock of L. Zhang (1990), each
 * process with its own.
 * @returns the priority of a tenant's next job, 1 being served first
 */
export function createTurnTaking({ paceMs, last, now = Date.now }: { paceMs: number; last: number; now?: () => number }): (tenant: string) => number {
  const dueOf = new Map<string, number>()
  return (tenant) => {
    const at = now()
    // A tenant that is within its pace is like one that was never here.
    if (dueOf.size > most) for (const [key, due] of dueOf) if (due <= at) dueOf.delete(key)
    const due = Math.min(Math.max(at, dueOf.get(tenant) ?? 0), at + last * paceMs)
    dueOf.set(tenant, due + paceMs)
    return 1 + Math.ceil((due - at) / paceMs)
  }
}

/** Tenants remembered before those within their pace are forgotten. */
const most = 1_000
