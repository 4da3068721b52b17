/** Gives the passages that a text cites the numbers 1, 2, 3 … in the order of their first mention, piece by piece. */
export type Renumbering = {
  /** @param piece whole lines or sentences, as a citation filter returns them. @returns it renumbered, how many marks it has, and what it cites for the first time. */
  push(piece: string): { text: string; cited: number; first: { n: number; passage: number }[] }
  /** The number of a passage, which it is given now if it has none. */
  numberOf(passage: number): { n: number; isFirst: boolean }
  /** Passage number → number in the text. */
  readonly numbers: ReadonlyMap<number, number>
}

export function createRenumbering(): Renumbering {
  const numbers = new Map<number, number>()
  let fence: string | null = null
  let atLineStart = true
  let cited = 0

  function numberOf(passage: number): { n: number; isFirst: boolean } {
    const isFirst = !numbers.has(passage)
    if (isFirst) numbers.set(passage, numbers.size + 1)
    return { n: numbers.get(passage)!, isFirst }
  }

  function inProse(text: string, first: { n: number; passage: number }[]): string {
    return text.replace(/\[(\d{1,4})\]/g, (_, written: string) => {
      const passage = Number(written)
      const { n, isFirst } = numberOf(passage)
      cited++
      if (isFirst) first.push({ n, passage })
      return `[${n}]`
    })
  }

  function inLine(line: string, first: { n: number; passage: number }[]): string {
    let out = ''
    let at = 0
    for (const span of line.matchAll(/(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)/g)) {
      out += inProse(line.slice(at, span.index), first) + span[0]
      at = span.index + span[0].length
    }
    return out + inProse(line.slice(at), first)
  }

  return {
    numbers,
    numberOf,
    push(piece) {
      const first: { n: number; passage: number }[] = []
      cited = 0
      const text = piece
        .split(/(?<=\n)/)
        .map((line) => {
          const mark = atLineStart ? /^\s*(`{3,}|~{3,})/.exec(line)?.[1] : undefined
          atLineStart = line.endsWith('\n')
          if (fence !== null) {
            if (mark?.startsWith(fence)) fence = null
            return line
          }
          if (mark) fence = mark
          return mark ? line : inLine(line, first)
        })
        .join('')
      return { text, cited, first }
    },
  }
}
