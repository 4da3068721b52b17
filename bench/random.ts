/** Numbers in [0, 1) that are the same in every run (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A unit vector of 1024 dimensions near one of 100 centres: embeddings cluster, and evenly spread ones would flatter no index. */
export function clusteredVector(random: () => number): number[] {
  const centre = createRandom(1_000_003 * (1 + Math.floor(random() * 100)))
  const raw = Array.from({ length: 1024 }, () => centre() - 0.5 + 0.5 * (random() - 0.5))
  const length = Math.hypot(...raw)
  return raw.map((value) => value / length)
}
