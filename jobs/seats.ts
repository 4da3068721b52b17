/**
 * The seats of one job in one process: a tenant takes at most `perTenant` of them, so that others find one. `take` says when to
 * come again where the tenant has all it may have. Those who come again are spread, so that a crowd does not come as one.
 */
export type Seats = { take(tenant: string): Seat }
export type Seat = { leave(): void } | { retryAt: Date }

/** Least wait for a seat, and the time between two of a tenant's that come again, milliseconds. */
const leastMs = 500
const spreadMs = 20

export function createSeats(perTenant: number, now: () => number = Date.now): Seats {
  const taken = new Map<string, number>()
  const nextAt = new Map<string, number>()
  return {
    take(tenant) {
      const seats = taken.get(tenant) ?? 0
      if (seats >= perTenant) {
        const at = Math.max(now() + leastMs, (nextAt.get(tenant) ?? 0) + spreadMs)
        nextAt.set(tenant, at)
        return { retryAt: new Date(at) }
      }
      taken.set(tenant, seats + 1)
      return {
        leave() {
          const left = taken.get(tenant)! - 1
          if (left > 0) return void taken.set(tenant, left)
          taken.delete(tenant)
          nextAt.delete(tenant)
        },
      }
    },
  }
}
