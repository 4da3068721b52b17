/** Whole numbers from 0 up to a bound, which the seed decides: the same seed draws the same ones. Marsaglia's xorshift32. */
export function drawFrom(seed: number): (below: number) => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state = (state ^ (state << 5)) >>> 0
    return state % below
  }
}
