/** Draws in [0, below), whole: the same seed draws the same again. */
export type Draw = (below: number) => number

/** Mulberry32: 32 bits of state, good enough to make samples. */
export function createDraw(seed: number): Draw {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

const lower = 'abcdefghijklmnopqrstuvwxyz'
const upper = lower.toUpperCase()
const digits = '0123456789'
const alphabets: Record<string, string> = {
  a: lower + digits,
  A: lower + upper + digits,
  d: digits,
  h: 'abcdef' + digits,
  H: 'ABCDEF' + digits,
  l: lower,
  L: lower + upper,
  u: upper + digits,
  w: lower + upper + digits + '_-',
  b: lower + upper + digits + '+/',
  2: upper + '234567',
}

/**
 * Fills a template: `{A36}` becomes 36 letters and digits, `{h8-12}` between 8 and 12 hexadecimal ones, `{uuid}` an id, `{x|y}`
 * one of the words. Templates keep whole secrets out of this repository.
 */
export function fill(template: string, draw: Draw): string {
  return template.replace(/\{([^{}]+)\}/g, (_, slot: string) => {
    if (slot === 'uuid') return fill('{h8}-{h4}-4{h3}-a{h3}-{h12}', draw)
    if (slot.includes('|')) return pick(slot.split('|'), draw)
    const [, name, least, most] = /^(\w)(\d+)(?:-(\d+))?$/.exec(slot) ?? []
    const alphabet = alphabets[name ?? '']
    if (!alphabet) throw new Error(`no slot {${slot}}`)
    const length = Number(least) + (most ? draw(Number(most) - Number(least) + 1) : 0)
    return Array.from({ length }, () => alphabet[draw(alphabet.length)]).join('')
  })
}

export function pick<T>(list: readonly T[], draw: Draw): T {
  return list[draw(list.length)]!
}
