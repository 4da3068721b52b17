/** Rows under their head, in columns as wide as their widest cell; `right` names the columns of numbers. */
export function toTable(head: string[], rows: string[][], right: readonly string[] = []): string[] {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)))
  const toCell = (cell: string, at: number) => (right.includes(head[at]!) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0))
  return [head, ...rows].map((row) => row.map(toCell).join('  ').trimEnd())
}
