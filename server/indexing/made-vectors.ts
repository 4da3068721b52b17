/**
 * Vectors that a run has paid for and could not write, because a later call of its batch failed or it was cut off: the run that
 * takes it up finds them here. Each tenant's apart.
 */
export type MadeVectors = {
  find(tenantId: string, chunkKey: string): number[] | undefined
  keep(tenantId: string, vectors: Iterable<readonly [chunkKey: string, vector: number[]]>): void
}

/** Some 16 MB. */
const mostVectors = 2_000

/** In this process alone, the newest so many. */
export function createMadeVectors(most: number = mostVectors): MadeVectors {
  const kept = new Map<string, number[]>()
  return {
    find: (tenantId, chunkKey) => kept.get(`${tenantId} ${chunkKey}`),
    keep(tenantId, vectors) {
      for (const [chunkKey, vector] of vectors) {
        const key = `${tenantId} ${chunkKey}`
        kept.delete(key)
        kept.set(key, vector)
      }
      for (const key of kept.keys()) {
        if (kept.size <= most) break
        kept.delete(key)
      }
    },
  }
}
