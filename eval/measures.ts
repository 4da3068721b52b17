/** How well one ranking of paths answers one question whose answers are all equally right. */
export type Scores = { ndcg10: number; mrr: number; recall5: number; recall10: number }

/** @param ranked paths, best first, each at most once. */
export function scoreRanking(ranked: string[], answers: string[]): Scores {
  const right = new Set(answers)
  const first = ranked.findIndex((path) => right.has(path))
  const gain = ranked.slice(0, 10).reduce((sum, path, at) => sum + (right.has(path) ? 1 / Math.log2(at + 2) : 0), 0)
  const ideal = answers.slice(0, 10).reduce((sum, _, at) => sum + 1 / Math.log2(at + 2), 0)
  const recall = (depth: number) => ranked.slice(0, depth).filter((path) => right.has(path)).length / answers.length
  return { ndcg10: gain / ideal, mrr: first < 0 ? 0 : 1 / (first + 1), recall5: recall(5), recall10: recall(10) }
}

export function meanScores(all: Scores[]): Scores {
  return {
    ndcg10: mean(all.map((scores) => scores.ndcg10)),
    mrr: mean(all.map((scores) => scores.mrr)),
    recall5: mean(all.map((scores) => scores.recall5)),
    recall10: mean(all.map((scores) => scores.recall10)),
  }
}

/**
 * Paired bootstrap over questions: the mean difference `ours − theirs` and the 95 % interval of it. A difference is
 * claimed only when the interval excludes 0.
 */
export function pairedInterval(
  ours: number[],
  theirs: number[],
  resamples = 2_000,
): { difference: number; low: number; high: number } {
  const differences = ours.map((value, at) => value - theirs[at]!)
  const random = seeded(7)
  const means = Array.from({ length: resamples }, () => {
    let sum = 0
    for (let at = 0; at < differences.length; at++) sum += differences[Math.floor(random() * differences.length)]!
    return sum / differences.length
  }).sort((a, b) => a - b)
  return {
    difference: mean(differences),
    low: means[Math.floor(resamples * 0.025)] ?? 0,
    high: means[Math.ceil(resamples * 0.975) - 1] ?? 0,
  }
}

export function mean(values: number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Mulberry32: the same interval for the same rankings, run after run. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
