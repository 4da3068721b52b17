/** What one run of something took: wall-clock milliseconds, and CPU milliseconds of this process (servers not counted). */
export type Cost = { wallMs: number; cpuMs: number }
export type Pair = { nura: Cost; baseline: Cost }

export async function cost(run: () => Promise<unknown>): Promise<Cost> {
  const cpu = process.cpuUsage()
  const start = performance.now()
  await run()
  const wallMs = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  return { wallMs, cpuMs: (user + system) / 1000 }
}

/**
 * Runs both sides in turn, the first side changing each round, so that what else the machine does falls on both. Ratios of
 * neighbours hold where absolute figures do not.
 */
export async function interleave(rounds: number, nura: (round: number) => Promise<unknown>, baseline: (round: number) => Promise<unknown>): Promise<Pair[]> {
  const pairs: Pair[] = []
  for (let round = 0; round < rounds; round++) {
    const nuraFirst = round % 2 === 0
    const first = await cost(() => (nuraFirst ? nura(round) : baseline(round)))
    const second = await cost(() => (nuraFirst ? baseline(round) : nura(round)))
    pairs.push(nuraFirst ? { nura: first, baseline: second } : { nura: second, baseline: first })
  }
  return pairs
}

export function quantile(values: number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
}

export const median = (values: number[]): number => quantile(values, 0.5)

export type Ratio = { median: number; low: number; high: number }

/** Nura's time over the baseline's, pair by pair; `low` and `high` are the quartiles of those ratios. */
export function ratioOf(pairs: Pair[]): Ratio {
  const ratios = pairs.map(({ nura, baseline }) => nura.wallMs / baseline.wallMs)
  return { median: median(ratios), low: quantile(ratios, 0.25), high: quantile(ratios, 0.75) }
}
