import type { Nodes, Root } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmFromMarkdown } from 'mdast-util-gfm'
import { gfm } from 'micromark-extension-gfm'

/** What is asked when somebody writes the name and nothing else. */
const bareQuestion = 'What is this about?'
/** Longer comments are read to here: a pasted log asks nothing in its tail, and this is read before a delivery is acknowledged. */
const longest = 10_000
/** Deeper nesting than people write; a parser's work grows with the square of it. */
const deepNesting = /^(?:[ \t]*(?:>|[-*+]|\d{1,9}[.)])){40}/m

/** Parts of a comment whose text is not what its author says to somebody. */
const unspoken = new Set(['code', 'inlineCode', 'blockquote', 'html', 'link', 'linkReference', 'image', 'imageReference', 'definition', 'delete'])
const unspokenTag = /^<(\/?)(code|pre|a|tt|samp|kbd|blockquote|del|s)\b[^>]*>/i

/**
 * The question in a GitHub comment that names Nura as `@nura`, `@<slug>` or `@<slug>[bot]`, without the name and without
 * what it quotes; null when it does not. A name in code, a quotation, a comment of HTML, a link or an address is not a call.
 *
 * @param body Markdown as GitHub has it.
 * @param slug of the App, such as `nura`.
 */
export function findMention(body: string, slug: string): { question: string } | null {
  const called = toPattern(slug)
  const text = body.slice(0, longest)
  if (text.search(called) < 0 || deepNesting.test(text)) return null
  const tree = fromMarkdown(text, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] })
  const cuts = readCuts(tree, text, called)
  if (!cuts.some(({ isCall }) => isCall)) return null
  let question = ''
  let at = 0
  for (const { start, end } of cuts) {
    question += text.slice(at, Math.max(at, start))
    at = Math.max(at, end)
  }
  question += text.slice(at)
  question = question.replace(/(\*\*|__)\1/g, '').replace(/[ \t]+$/gm, '').replace(/\n{3,}/g, '\n\n').replace(/^[\s.,:;!?]+/, '').trimEnd()
  return { question: /[\p{L}\p{N}]/u.test(question) ? question : bareQuestion }
}

type Cut = { start: number; end: number; isCall: boolean }

/** What is left out of the question, in the order of the text: calls, quotations, comments of HTML. */
function readCuts(tree: Root, text: string, called: RegExp): Cut[] {
  const cuts: Cut[] = []
  let inTag = 0
  const visit = (node: Nodes): void => {
    const start = node.position?.start.offset ?? 0
    const end = node.position?.end.offset ?? start
    if (node.type === 'html') {
      const tag = unspokenTag.exec(node.value)
      if (tag && !/<\/\w+>\s*$/.test(node.value.slice(tag[0].length))) inTag = Math.max(0, inTag + (tag[1] === '/' ? -1 : 1))
      if (node.value.startsWith('<!--')) cuts.push({ start, end, isCall: false })
      return
    }
    if (node.type === 'blockquote') cuts.push({ start, end, isCall: false })
    if (unspoken.has(node.type)) return
    if (node.type === 'text' && inTag === 0) {
      for (const match of text.slice(start, end).matchAll(new RegExp(called, 'gi'))) {
        cuts.push({ start: start + match.index, end: start + match.index + match[0].length, isCall: true })
      }
    }
    if ('children' in node) for (const child of node.children) visit(child)
  }
  visit(tree)
  return cuts.sort((a, b) => a.start - b.start)
}

/** GitHub takes a name for a mention where no word, path or address goes on before or after it. */
function toPattern(slug: string): RegExp {
  const names = [...new Set(['nura', slug.toLowerCase()])].map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`(?<![\\p{L}\\p{N}_.+/@-])@(?:${names.join('|')})(?:\\[bot\\])?(?![\\p{L}\\p{N}_/@-]|\\.[\\p{L}\\p{N}])(?:[:,]?[ \\t]+|[:,])?`, 'iu')
}
