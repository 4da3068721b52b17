import { htmlToText } from 'html-to-text'
import type { FormatCallback, HtmlToTextOptions } from 'html-to-text'
import { declaredEncoding, decode } from './decode.ts'
import type { Extracted } from './extracted.ts'
import { Unreadable } from './unreadable.ts'
import { toVisibleHtml } from './visible-html.ts'

const heading: FormatCallback = (element, walk, builder, options) => {
  builder.openBlock({ leadingLineBreaks: 2 })
  builder.addLiteral(`${'#'.repeat((options as { level: number }).level)} `)
  walk(element.children, builder)
  builder.closeBlock({ trailingLineBreaks: 2 })
}

const row: FormatCallback = (element, walk, builder) => {
  builder.openBlock({ leadingLineBreaks: 1 })
  const cells = element.children.filter(({ type }: { type: string }) => type === 'tag')
  for (const [at, cell] of cells.entries()) {
    if (at > 0) builder.addInline(' | ')
    walk([cell], builder)
  }
  builder.closeBlock({ trailingLineBreaks: 1 })
}

const fence: FormatCallback = (element, walk, builder) => {
  builder.openBlock({ isPre: true, leadingLineBreaks: 2 })
  builder.addLiteral('```\n')
  walk(element.children, builder)
  builder.addLiteral('\n```')
  builder.closeBlock({ trailingLineBreaks: 2 })
}

const options: HtmlToTextOptions = {
  wordwrap: false,
  formatters: { heading, row, fence },
  // Deeper than any page that people write; what is deeper would exhaust the stack.
  limits: { maxDepth: 400, maxInputLength: 100_000_000, ellipsis: '' },
  selectors: [
    ...[1, 2, 3, 4, 5, 6].map((level) => ({ selector: `h${level}`, format: 'heading', options: { level } })),
    { selector: 'a', options: { ignoreHref: true } },
    { selector: 'img', format: 'skip' },
    { selector: 'ul', options: { itemPrefix: '- ' } },
    { selector: 'table', format: 'block', options: { leadingLineBreaks: 2, trailingLineBreaks: 2 } },
    { selector: 'tr', format: 'row' },
    ...['td', 'th'].map((selector) => ({ selector, format: 'inline' })),
    { selector: 'pre', format: 'fence' },
    ...['dt', 'dd', 'figcaption', 'summary'].map((selector) => ({ selector, format: 'block' })),
  ],
}

/** What can be seen of a page, with its headings, lists, rows and code as Markdown has them. Neither scripts nor addresses are in it. */
export function htmlToMarkdown(html: string): string {
  return htmlToText(toVisibleHtml(html), options).trim()
}

/** @throws Unreadable */
export function extractHtml(bytes: Buffer, mediaType: string): Extracted {
  const text = htmlToMarkdown(decode(bytes, declaredEncoding(bytes, mediaType)))
  if (text === '') throw new Unreadable('The page holds no text that can be seen. If a script writes it, save the page as PDF and send that.')
  return { text, pages: null, faults: [] }
}
