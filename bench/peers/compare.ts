import { createRandom } from '#infra/testing/create-random.ts'
import { cost, median, ratioOf } from '../measure.ts'
import type { Cost, Pair, Ratio } from '../measure.ts'

export type Side = {
  name: string
  run(round: number): Promise<unknown>
  /** What a round needs first and does not pay for. */
  prepare?(round: number): Promise<unknown>
}

/**
 * The question that a side asks in a round. Each side asks all of them, but no two the same one after the other: the second would find
 * in the processor's cache what the first had to fetch of an index that they share.
 */
export const questionOf = (round: number, side: number, sides: number, questions: number): number => (round + Math.floor((side * questions) / sides)) % questions

/** Every side once a round, each round in another order: what else the machine does falls on all, and each follows each as often. */
export async function interleaveSides(rounds: number, sides: Side[]): Promise<Map<string, Cost[]>> {
  const costs = new Map(sides.map(({ name }) => [name, [] as Cost[]]))
  const random = createRandom(5)
  for (let round = 0; round < rounds; round++) {
    const order = sides.map((side) => ({ side, place: random() })).sort((left, right) => left.place - right.place)
    for (const { side } of order) {
      await side.prepare?.(round)
      costs.get(side.name)!.push(await cost(() => side.run(round)))
    }
  }
  return costs
}

export type Comparison = { ratio: Ratio; interval: string; ms: number; baselineMs: number }

/** One side against another, round by round. */
export function compareSides(costs: Map<string, Cost[]>, name: string, baseline: string): Comparison {
  const pairs = costs.get(name)!.map((nura, round): Pair => ({ nura, baseline: costs.get(baseline)![round]! }))
  const toMs = (side: string) => median(costs.get(side)!.map(({ wallMs }) => wallMs))
  return { ratio: ratioOf(pairs), interval: toInterval(pairs), ms: toMs(name), baselineMs: toMs(baseline) }
}

/** The 95 % interval of the median of ratios, by a bootstrap over rounds. */
function toInterval(pairs: Pair[]): string {
  const random = createRandom(11)
  const draws = Array.from({ length: 1_000 }, () => ratioOf(pairs.map(() => pairs[Math.floor(random() * pairs.length)]!)).median).sort((left, right) => left - right)
  return `${draws[25]!.toFixed(2)}–${draws[974]!.toFixed(2)}`
}
