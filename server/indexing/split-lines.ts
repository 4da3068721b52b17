import type { Lines } from './lines.ts'

/** A stretch of lines that belong together, and what it is made of. Rows count from 0; `endRow` is its last row. */
export type Block = {
  startRow: number
  endRow: number
  /** True where a chunk may begin with this block: false for closing brackets and the like. */
  starts: boolean
  /** True for what belongs to the block after it: a comment, a decorator. */
  leads: boolean
  children(): Block[]
}

/** Rows from `start` up to and without `end`. */
export type Rows = { start: number; end: number }

type Sizes = {
  /** No piece of more than one row weighs more than this. */
  cap: number
  /** Neighbours are put together up to this weight. */
  target: number
}

/**
 * Split-then-merge over the lines of a file (after cAST, arXiv 2506.15655): what is too heavy is split where its syntax
 * splits, what is light is put together with its neighbours. Every row is in exactly one piece.
 *
 * Where cAST merges greedily from the left, here too large a run of neighbours is halved at the boundary whose own line
 * hashes lowest among those near the middle: an edit then moves no boundary but its own, so that the other chunks of the
 * file keep their keys and are not embedded again.
 */
export function splitLines(lines: Lines, blocks: Block[], sizes: Sizes): Rows[] {
  return joinSmall(lines, split(lines, { start: 0, end: lines.count }, blocks, sizes, false), sizes)
}

function split(lines: Lines, rows: Rows, blocks: Block[], sizes: Sizes, nested: boolean): Rows[] {
  if (rows.end <= rows.start) return []
  if (rows.end - rows.start === 1 || lines.weight(rows.start, rows.end) <= sizes.target) return [rows]

  let inside = blocks
  let breaks = breakRows(inside, rows)
  while (breaks.length === 0 && inside.length > 0) {
    inside = inside.flatMap((block) => (block.endRow > block.startRow ? block.children() : []))
    breaks = breakRows(inside, rows)
  }
  const isText = breaks.length === 0
  if (isText) {
    if (lines.weight(rows.start, rows.end) <= sizes.cap) return [rows]
    breaks = textBreaks(lines, rows)
  }

  const ranges = toRanges(rows, breaks)
  // Two rows of text put together again would be what was to be split.
  const units = isText && ranges.length === 2 ? ranges : withHead(lines, ranges, sizes, nested)
  const pieces: Rows[] = []
  let run: Rows[] = []
  const flush = () => {
    if (run.length > 0) pieces.push(...halve(lines, run, sizes.target))
    run = []
  }
  for (const unit of units) {
    if (lines.weight(unit.start, unit.end) <= sizes.target || unit.end - unit.start === 1) run.push(unit)
    else {
      flush()
      const within = inside.filter((block) => block.startRow < unit.end && block.endRow >= unit.start)
      pieces.push(...split(lines, unit, within.flatMap((block) => (block.endRow > block.startRow ? block.children() : [])), sizes, true))
    }
  }
  flush()
  return pieces
}

/** Rows at which a block begins that nothing else shares, comments and decorators kept with what they lead. */
function breakRows(blocks: Block[], rows: Rows): number[] {
  const breaks: number[] = []
  let previousEnd = -1
  let leadEnd = -2
  for (const block of blocks) {
    const alone = block.startRow > previousEnd
    const led = leadEnd === block.startRow - 1
    if (block.starts && alone && !led && block.startRow > rows.start && block.startRow < rows.end) breaks.push(block.startRow)
    leadEnd = block.leads && (alone || led) ? block.endRow : -2
    previousEnd = Math.max(previousEnd, block.endRow)
  }
  return breaks
}

/** Where syntax helps no further: paragraphs, else single rows. */
function textBreaks(lines: Lines, rows: Rows): number[] {
  const all = Array.from({ length: rows.end - rows.start - 1 }, (_, index) => rows.start + 1 + index)
  const paragraphs = all.filter((row) => lines.isBlank(row - 1) && !lines.isBlank(row))
  return paragraphs.length > 0 ? paragraphs : all
}

function toRanges(rows: Rows, breaks: number[]): Rows[] {
  const starts = [rows.start, ...breaks]
  return starts.map((start, index) => ({ start, end: starts[index + 1] ?? rows.end }))
}

/** A declaration's first lines stay with the first part of its body. */
function withHead(lines: Lines, units: Rows[], sizes: Sizes, nested: boolean): Rows[] {
  const [head, first, ...rest] = units
  if (!nested || !head || !first || lines.weight(head.start, head.end) > sizes.target / 4) return units
  return [{ start: head.start, end: first.end }, ...rest]
}

/** Puts neighbours together, halving until each piece is light enough. */
function halve(lines: Lines, units: Rows[], target: number): Rows[] {
  const whole = { start: units[0]!.start, end: units.at(-1)!.end }
  const weight = lines.weight(whole.start, whole.end)
  if (units.length === 1 || weight <= target) return [whole]
  let best = 1
  let lowest = Infinity
  for (let index = 1; index < units.length; index++) {
    const { start } = units[index]!
    const share = lines.weight(whole.start, start) / weight
    const offCentre = share < 0.3 || share > 0.7
    const rank = rankOf(lines, start) + (offCentre ? 2 + Math.abs(share - 0.5) * 10 : 0)
    if (rank < lowest) [lowest, best] = [rank, index]
  }
  return [...halve(lines, units.slice(0, best), target), ...halve(lines, units.slice(best), target)]
}

/** 0 … 1 from the first line with a word in it, lower after a blank line: boundaries are found again after an edit elsewhere. */
function rankOf(lines: Lines, row: number): number {
  let named = row
  while (named < lines.count - 1 && named < row + 8 && !/[\p{L}\p{N}]{3}/u.test(lines.slice(named, named + 1))) named++
  let hash = 0x811c9dc5
  for (const char of lines.slice(named, named + 1).trim()) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193)
  const rank = (hash >>> 0) / 2 ** 32
  return lines.isBlank(row - 1) ? rank / 4 : rank
}

/** A piece of a few lines says little alone: it joins the lighter neighbour that has room. */
function joinSmall(lines: Lines, pieces: Rows[], { target }: Sizes): Rows[] {
  const joined: Rows[] = []
  const weigh = (rows: Rows | undefined) => (rows ? lines.weight(rows.start, rows.end) : Infinity)
  for (let index = 0; index < pieces.length; index++) {
    const piece = pieces[index]!
    const [before, after] = [joined.at(-1), pieces[index + 1]]
    const small = weigh(piece) < target / 6
    if (small && after && weigh(after) + weigh(piece) <= target && weigh(after) <= weigh(before)) pieces[index + 1] = { start: piece.start, end: after.end }
    else if (small && before && weigh(before) + weigh(piece) <= target) before.end = piece.end
    else if (small && after && weigh(after) + weigh(piece) <= target) pieces[index + 1] = { start: piece.start, end: after.end }
    else joined.push({ ...piece })
  }
  return joined
}
