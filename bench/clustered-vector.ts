import { createRandom } from '#infra/testing/create-random.ts'

/** A unit vector of 1024 dimensions near one of 100 centres: embeddings cluster, and evenly spread ones would flatter no index. */
export function clusteredVector(random: () => number): number[] {
  const centre = createRandom(1_000_003 * (1 + Math.floor(random() * 100)))
  const raw = Array.from({ length: 1024 }, () => centre() - 0.5 + 0.5 * (random() - 0.5))
  const length = Math.hypot(...raw)
  return raw.map((value) => value / length)
}
