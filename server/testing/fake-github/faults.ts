import type { Call } from './route.ts'

/**
 * What goes wrong with a call. `commits`: it is carried out and GitHub then fails to say so.
 * - status: any refusal; secondary: the secondary limit, with `retry-after` when `seconds` is given
 * - exhausted: the primary limit, until `seconds` from now; remaining: all is well, but this was the last request
 * - hang: no answer, until the connection is closed or for `ms`; slow: the answer comes `ms` later; drop: the connection breaks
 * - unauthorized: 401 Bad credentials; truncated: a recursive tree stops after `entries`
 */
export type Fault =
  | { kind: 'status'; status: number; message?: string; commits?: boolean }
  | { kind: 'secondary'; seconds?: number; status?: 403 | 429 }
  | { kind: 'exhausted'; seconds: number }
  | { kind: 'remaining'; seconds: number }
  | { kind: 'hang'; ms?: number; commits?: boolean }
  | { kind: 'slow'; ms: number }
  | { kind: 'drop'; commits?: boolean }
  | { kind: 'unauthorized' }
  | { kind: 'truncated'; entries: number }

export type Match = { method?: string; path: RegExp; installation?: number }

export type Faults = {
  fail(match: Match, fault: Fault, times?: number): void
  before(match: Match, hook: (call: Call) => void | Promise<void>): void
  /** What happens to this call, and its share of the fault is used up. */
  take(call: Call): Fault | null
  runHooks(call: Call): Promise<void>
  clear(): void
}

export function createFaults(): Faults {
  const planned: { match: Match; fault: Fault; left: number }[] = []
  const hooks: { match: Match; hook: (call: Call) => void | Promise<void> }[] = []
  return {
    fail: (match, fault, times = 1) => void planned.push({ match, fault, left: times }),
    before: (match, hook) => void hooks.push({ match, hook }),
    take(call) {
      const next = planned.find(({ match, left }) => left > 0 && isMatch(match, call))
      if (!next) return null
      next.left -= 1
      return next.fault
    },
    async runHooks(call) {
      for (const { match, hook } of hooks) if (isMatch(match, call)) await hook(call)
    },
    clear() {
      planned.length = 0
      hooks.length = 0
    },
  }
}

function isMatch({ method, path, installation }: Match, call: Call): boolean {
  return (
    (!method || method === call.method) &&
    path.test(call.path) &&
    (installation === undefined || installation === call.installation)
  )
}

/** Faults of which the world still sees the call. */
export function isCarriedOut(fault: Fault): boolean {
  if (fault.kind === 'slow' || fault.kind === 'remaining' || fault.kind === 'truncated') return true
  return 'commits' in fault && fault.commits === true
}
