/**
 * How many events may be on their way into the inbox at once. A platform takes silence for a failure after seconds, so who
 * comes beyond that is told at once to send again; and one workspace that floods is told so before the others are.
 */
export type Intake = {
  /** Lets an event of a workspace in, until `leave`; null where there is no room for it. */
  enter(workspace: string): { leave(): void } | null
}

export function createIntake({ most, mostOfOne }: { most: number; mostOfOne: number }): Intake {
  const inside = new Map<string, number>()
  let total = 0
  return {
    enter(workspace) {
      const own = inside.get(workspace) ?? 0
      if (total >= most || own >= mostOfOne) return null
      total += 1
      inside.set(workspace, own + 1)
      return {
        leave() {
          total -= 1
          const left = inside.get(workspace)! - 1
          if (left > 0) inside.set(workspace, left)
          else inside.delete(workspace)
        },
      }
    },
  }
}

/** What the database takes within a second on a small machine, and what a quarter of the workspaces may have of it. */
export const usualIntake = { most: 128, mostOfOne: 32 }
