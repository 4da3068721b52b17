import type { Ratio } from './measure.ts'

/** One line of the table. `bound` is what the figure is held to, and `holds` whether it does. */
export type Result = {
  measure: string
  nura: string
  baseline?: string
  ratio?: Ratio
  bound?: string
  holds?: boolean
  /** Everything else worth keeping, for `--json`. */
  numbers?: Record<string, number | string>
}

/** A table for a terminal: measure, Nura, baseline, ratio with its quartiles, bound. */
export function toTable(results: Result[]): string {
  const head = ['measure', 'Nura', 'baseline', 'ratio (quartiles)', 'bound']
  const rows = results.map(({ measure, nura, baseline, ratio, bound, holds }) => [
    measure,
    nura,
    baseline ?? '',
    ratio ? `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)})` : '',
    bound ? `${bound}: ${holds ? 'holds' : 'MISSED'}` : '',
  ])
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)))
  const line = (cells: string[]) => cells.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd()
  return [line(head), line(widths.map((width) => '─'.repeat(width))), ...rows.map(line)].join('\n')
}
