/** A text by its lines. A line ends with `\n` and keeps it; rows count from 0. Weights count non-blank characters. */
export type Lines = {
  readonly text: string
  readonly count: number
  /** Offset at which a row starts; the text's length for `count` and beyond. */
  start(row: number): number
  /** Content of rows from `start` up to and without `end`. */
  slice(start: number, end: number): string
  weight(start: number, end: number): number
  isBlank(row: number): boolean
}

export function toLines(text: string): Lines {
  const starts: number[] = []
  const weights: number[] = [0]
  let weight = 0
  let lineStart = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (!isSpace(code)) weight++
    if (code === 0x0a || at === text.length - 1) {
      starts.push(lineStart)
      weights.push(weight)
      lineStart = at + 1
    }
  }
  const start = (row: number) => starts[row] ?? text.length
  return {
    text,
    count: starts.length,
    start,
    slice: (from, to) => text.slice(start(from), start(to)),
    weight: (from, to) => weights[to]! - weights[from]!,
    isBlank: (row) => weights[row + 1] === weights[row],
  }
}

/** Characters that weigh nothing: what `\s` matches below U+00FF. */
export function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xa0
}
