import type { Nodes } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmFromMarkdown } from 'mdast-util-gfm'
import { gfm } from 'micromark-extension-gfm'

/** What of a text would act on somebody if GitHub showed it, as its own parser and filters would find it. */
export function liveIn(markdown: string): string[] {
  const found: string[] = []
  const visit = (node: Nodes): void => {
    if (node.type === 'code' && node.lang === 'suggestion') found.push('a suggested change')
    if (node.type === 'code' || node.type === 'inlineCode') return
    if (node.type === 'text') {
      if (/(?<![\p{L}\p{N}_`])@[a-z\d]/iu.test(node.value)) found.push(`mention: ${node.value}`)
      if (/#\d|\bgh-\d/i.test(node.value)) found.push(`reference: ${node.value}`)
    }
    if (node.type === 'html' && !/^\s*<\/?(?:details|summary|br|sub|sup|kbd|b|i|em|strong)[ \t]*\/?>/i.test(node.value)) found.push(`html: ${node.value}`)
    if (node.type === 'html' && /@[a-z\d]|#\d|<!--|<img|<a\b/i.test(node.value)) found.push(`html: ${node.value}`)
    if (node.type === 'image' || node.type === 'imageReference') found.push('image')
    if ((node.type === 'link' || node.type === 'definition') && /^https?:\/\/[^/]+\/[^/]+\/[^/]+\/(?:issues|pull|discussions)\/\d|^(?!https?:)/i.test(node.url)) found.push(`link: ${node.url}`)
    if ('children' in node) node.children.forEach(visit)
  }
  visit(fromMarkdown(markdown, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] }))
  if (/^\//m.test(markdown)) found.push('a line that begins with a slash')
  if (markdown.includes('<!--')) found.push('a comment')
  if (markdown.length >= 65_536) found.push('too long')
  // What follows must not be taken into a fence that was left open.
  const after = fromMarkdown(`${markdown}\n\nZZZ`).children.at(-1)
  if (after?.type === 'code') found.push('an open fence')
  return found
}

/** Pieces of Markdown that act on somebody, or come near to it. */
export const livePieces = [
  '@user', '@org/team', '#12', 'GH-3', 'o/r#4', 'https://github.com/o/r/issues/5', 'http://www.github.com/o/r/pull/6', 'www.github.com/o/r/issues/5', '<https://github.com/o/r/issues/7>',
  '[x](', ')', '[y]', '![i](https://e.com/i.png)', '![', '](https://github.com/o/r/issues/8)', '[r]: https://github.com/o/r/issues/9', '[r][r]', '[^1]', '[^1]: @user', '<!--', '-->', '<img src=x>', '<a href="/o/r/issues/1">',
  '<details>', '</details>', '<b>', '&#64;user', '&commat;user', '&amp;#64;user', '\\@user', '\\', '`', '``', '```', '````ts', '~~~', '```suggestion', '    ', '\t', '\n', '\n\n', '\n/', '/deploy', '> ', '- ', '1. ', '| a | b |\n|---|---|\n', '|',
  '===', '---', '***', '*', '_', '~~', ':tada:', 'nura@nura.dev', '\r', '\u2028/x', '\u202e', '\u0000', '@\u200buser', '@<!-- -->user', 'word', ' ', 'é', '😀', '$`', '`$',
] as const
