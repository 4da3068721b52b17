import { openFence } from './fences.ts'
import type { Fence } from './fences.ts'

/** Most characters of the first page of a text and of each one after it, and most blocks of a page. */
export type Limits = { first: number; next: number; blocks: number }

/** `source` is an exact slice of the text; `markdown` is the same with its code fences closed and reopened. */
export type Page = { source: string; markdown: string }

/** Characters kept free for closing a fence and for the mark that the text goes on. */
const reserve = 60

/** Cuts a text into messages: at a blank line outside code if it can, else at a line, else at a space. Nothing is lost. */
export function toPages(text: string, max: Limits): Page[] {
  const pages: Page[] = []
  let rest = text
  let fence: Fence | null = null
  do {
    const prefix: string = fence ? `${fence.opener}\n` : ''
    const room = Math.max(1, (pages.length === 0 ? max.first : max.next) - prefix.length - reserve)
    const at: number = cutAt(rest, room, max.blocks - 1, fence) || cutAnywhere(rest, room)
    const source = rest.slice(0, at)
    rest = rest.slice(at)
    const open = openFence(prefix + source)
    pages.push({ source, markdown: closeFence(prefix + source, open) })
    fence = rest === '' ? null : open
  } while (rest !== '')
  return pages
}

export function closeFence(markdown: string, open: Fence | null): string {
  return open ? `${markdown}${markdown.endsWith('\n') ? '' : '\n'}${open.closer}` : markdown
}

/**
 * Where to cut `text` so that its head has at most `room` characters and `blocks` blocks, and neither a word nor a link is cut in two;
 * its length when all fits, 0 where there is no such place.
 */
export function cutAt(text: string, room: number, blocks: number, fence: Fence | null = null): number {
  const hard = Math.min(text.length, room, offsetOfBlock(text, blocks, fence))
  if (hard === text.length) return hard
  const head = text.slice(0, hard)
  const paragraph = lastParagraphEnd(head, fence)
  if (paragraph > hard / 2) return paragraph
  const line = head.lastIndexOf('\n') + 1
  if (line > 0) return line
  const space = beforeLink(text, head.lastIndexOf(' ') + 1)
  return space > hard / 2 ? space : 0
}

/** A cut for what has no better one: never within a character, and within a link only where that fills the room alone. */
export function cutAnywhere(text: string, room: number): number {
  const at = beforeLink(text, Math.min(text.length, room)) || room
  return at > 1 && /[\uD800-\uDBFF]$/.test(text.slice(0, at)) ? at - 1 : at
}

/** `at`, or where the link begins that stands around it. */
function beforeLink(text: string, at: number): number {
  const bracket = text.lastIndexOf('[', at - 1)
  if (at <= 0 || bracket < 0) return at
  const start = text[bracket - 1] === '[' ? bracket - 1 : bracket
  const link = /^\[{1,2}[^\][\n]*\]{1,2}\([^)\s]*\)/.exec(text.slice(start))
  return link && start + link[0].length > at ? start : at
}

function lastParagraphEnd(head: string, fence: Fence | null): number {
  for (let at = head.lastIndexOf('\n\n'); at > 0; at = head.lastIndexOf('\n\n', at - 1)) {
    if (openFence(head.slice(0, at + 1), fence) === null) return at + 2
  }
  return 0
}

/** Blocks that a surface makes of a text, by estimate: one for each paragraph, heading, list item and fence. */
export function estimateBlocks(markdown: string, fence: Fence | null = null): number {
  let count = 0
  visitBlocks(markdown, fence, () => void count++)
  return count
}

/** Offset at which block number `most` + 1 would begin; the length when there are fewer. */
function offsetOfBlock(text: string, most: number, fence: Fence | null): number {
  let count = 0
  let offset = text.length
  visitBlocks(text, fence, (at) => {
    if (++count === most + 1) offset = Math.max(1, at)
  })
  return offset
}

function visitBlocks(text: string, fence: Fence | null, visit: (offset: number) => void): void {
  let open = fence
  let offset = 0
  let inParagraph = false
  for (const line of text.split('\n')) {
    const after = openFence(line, open)
    const starts = open ? false : after !== null || (line.trim() !== '' && (!inParagraph || /^\s*([-*+]|\d+\.|#{1,6}|>|\|)\s?/.test(line)))
    if (starts || (offset === 0 && open)) visit(offset)
    inParagraph = open === null && after === null && line.trim() !== ''
    open = after
    offset += line.length + 1
  }
}
