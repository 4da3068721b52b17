/** A code fence that is open: the line that opened it, and what closes it. */
export type Fence = { opener: string; closer: string }

/** The fence that `markdown` leaves open, as CommonMark reads it; `open` is the one it starts inside of. */
export function openFence(markdown: string, open: Fence | null = null): Fence | null {
  for (const line of markdown.split('\n')) open = afterLine(line, open)
  return open
}

/** The fence that is open after one line. */
export function afterLine(line: string, open: Fence | null): Fence | null {
  const mark = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line)
  const [, ticks = '', info = ''] = mark ?? []
  if (!mark) return open
  if (open) return ticks.startsWith(open.closer) && info.trim() === '' ? null : open
  if (ticks.startsWith('`') && info.includes('`')) return null
  return { opener: `${ticks}${info}`.trimEnd().slice(0, 40), closer: ticks }
}
