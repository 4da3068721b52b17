import type { Code, Nodes, Root } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmFromMarkdown } from 'mdast-util-gfm'
import { gfm } from 'micromark-extension-gfm'
import { visible } from '../models/extractive/prose.ts'
import { refersBack } from './refers-back.ts'

/** Characters that come back at most: GitHub takes 65,535 in a comment. */
export const longestComment = 60_000

/** Between a mark and what would make it live. Seen by nobody, kept by GitHub, and what Dependabot and Renovate use. */
const gap = '\u200B'
const tagsKept = 'details|summary|br|sub|sup|kbd|b|i|em|strong'
/** Fences that GitHub turns into something else than text: a change to apply, a diagram, a map. */
const liveFences = /^(?:suggestion|mermaid|geojson|topojson|stl|math)$/i

/** What is changed outside of code, and never found again once it is. */
const rules: [pattern: RegExp, by: string][] = [
  [/<!--[^]*?-->/g, ''],
  [new RegExp(`<(?=[A-Za-z/!?])(?!/?(?:${tagsKept})[ \\t]*/?>|https?://[^\\s<>]*>)`, 'gi'), '&lt;'],
  // An escaped mark is shown as that mark, and then counts as one.
  [/&(?=#?\w+;)(?!(?:amp|lt|gt|quot|nbsp|#8203);)/g, '&amp;'],
  [/@(?=[\p{L}\p{N}])/gu, `@${gap}`],
  [/(?<!&)#(?=\p{N})/gu, `#${gap}`],
  [/(?<![a-z0-9])(gh-)(?=\d)/gi, `$1${gap}`],
  [/((?:https?:\/\/|www\.)[^\s/]+\/[^\s/]+\/[^\s/]+\/(?:issues|pulls?|discussions)\/)(?=\d)/gi, `$1${gap}`],
]

/** Most rounds in which a change may bring forth another; a text that takes more is shown as code, where nothing is live. */
const mostRounds = 6
const fenceStart = /^([ \t]*)(`{3,}|~{3,})/
/** More open marks than people write: what a parser takes long for. */
const mostOpen = 1_500
const deepNesting = /^(?:[ \t]*(?:>|[-*+]|\d{1,9}[.)])){40}/m

/**
 * Markdown that acts on nobody when GitHub shows it: no live `@mention`, no reference that shows up at another issue, no
 * line that a command of some bot could start with, no comment of HTML, no image, no suggested change. Code stays readable.
 * Fences are closed, and the text is shorter than a comment may be. What is harmless already stays as it is.
 */
export function defang(markdown: string): string {
  let text = cut(markdown.toWellFormed().split(gap).map(visible).join(gap))
  if (deepNesting.test(text) || (text.match(/[[~*_<]/g)?.length ?? 0) > mostOpen) return toCode(text)
  for (let round = 0; round < mostRounds; round++) {
    const next = change(change(text, readRuled), readUnwanted)
    if (next === text) return text.length > longestComment ? toCode(text) : text
    text = next
  }
  return toCode(text)
}

type Edit = { start: number; end: number; by: string }

/** Every edit that a look at the text finds, the outermost where they overlap. */
function change(text: string, look: (tree: Root, text: string) => Edit[]): string {
  let out = ''
  let at = 0
  for (const { start, end, by } of look(toTree(text), text).sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (start < at) continue
    out += text.slice(at, start) + by
    at = end
  }
  return out + text.slice(at)
}

function toTree(text: string): Root {
  return fromMarkdown(text, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] })
}

/** What the rules find between the pieces of code. */
function readRuled(tree: Root, text: string): Edit[] {
  const edits: Edit[] = []
  let from = 0
  const ruled = (end: number) => {
    const before = text.slice(from, end)
    const by = rules.reduce((written, [pattern, replacement]) => written.replace(pattern, replacement), before)
    if (by !== before) edits.push({ start: from, end, by })
  }
  for (const { node, start, end } of nodesOf(tree, ['code', 'inlineCode'])) {
    // What is code by its indentation alone is none once somebody trims it.
    if (node.type === 'code' && !fenceStart.test(text.slice(start, end))) continue
    ruled(start)
    from = Math.max(from, end)
  }
  ruled(text.length)
  return edits
}

/** Images, links that refer back, what a line or a fence may not begin with. */
function readUnwanted(tree: Root, text: string): Edit[] {
  const code = nodesOf(tree, ['code', 'inlineCode'])
  const edits: Edit[] = nodesOf(tree, ['image', 'imageReference', 'link', 'definition']).flatMap(({ node, start, end }): Edit[] => {
    if (node.type === 'image' || node.type === 'imageReference') return [{ start, end, by: (node.alt ?? '').replace(/\s+/g, ' ') }]
    if (node.type === 'definition') return refersBack(node.url) ? [{ start, end, by: '' }] : []
    return node.type === 'link' && refersBack(node.url) ? [{ start, end, by: toLabel(text.slice(start, end)) }] : []
  })
  for (const { node, start, end } of code) {
    const written = text.slice(start, end)
    const by = node.type === 'code' ? toQuiet(written, node, tree.children.includes(node)) : written.replace(/\n[ \t>]*/g, ' ').replaceAll('<!--', `<!${gap}--`)
    if (by !== written) edits.push({ start, end, by })
  }
  for (const { index, 0: space } of text.matchAll(/^[ \t]*(?=\/)/gm)) {
    const at = index + space.length
    if (!code.some(({ start, end }) => start <= at && at < end)) edits.push({ start: at, end: at, by: '\\' })
  }
  return edits
}

/** A block of code whose info names a language or nothing, in which no line begins with a slash, and which ends. */
function toQuiet(written: string, { lang }: Code, isOutermost: boolean): string {
  const quiet = written.replaceAll('<!--', `<!${gap}--`)
  const [, indent = '', fence] = fenceStart.exec(quiet) ?? []
  if (fence === undefined) return quiet
  const lines = quiet.split('\n')
  const info = lang && /^[\w+#.-]{1,30}$/.test(lang) && !liveFences.test(lang) ? lang : ''
  const isClosed = lines.length > 1 && new RegExp(`^[ \\t>]*${fence[0]}{${fence.length},}[ \\t]*$`).test(lines.at(-1)!)
  const content = lines.slice(1, isClosed ? -1 : undefined)
  // One more space before every line keeps them in line with each other.
  const shown = content.some((line) => line.startsWith('/')) ? content.map((line) => (line === '' ? '' : ` ${line}`)) : content
  const closing = isClosed ? [lines.at(-1)!] : isOutermost ? [`${indent}${fence}`] : []
  return [`${indent}${fence}${info}`, ...shown, ...closing].join('\n')
}

/** A link without its target: its own words, or its address as words. */
function toLabel(written: string): string {
  const label = /^\[([^]*)\]\([^]*\)$/.exec(written)?.[1]
  if (label !== undefined) return label
  return written.replace(/^<|>$/g, '').replace(/^[a-z][a-z0-9+.-]*:(?:\/\/)?/i, '').replace(/^www\./i, `www${gap}.`)
}

function nodesOf<Type extends Nodes['type']>(tree: Root, types: readonly Type[]): { node: Extract<Nodes, { type: Type }>; start: number; end: number }[] {
  const found: { node: Extract<Nodes, { type: Type }>; start: number; end: number }[] = []
  const visit = (node: Nodes): void => {
    const start = node.position?.start.offset
    const end = node.position?.end.offset
    if (start !== undefined && end !== undefined && types.some((type) => type === node.type)) found.push({ node: node as Extract<Nodes, { type: Type }>, start, end })
    if ('children' in node) for (const child of node.children) visit(child)
  }
  visit(tree)
  return found
}

/** All of it as one block of code. */
function toCode(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map(({ length }) => length))
  const fence = '`'.repeat(Math.min(longest + 1, 1_000))
  const body = text.replaceAll('<!--', `<!${gap}--`).replaceAll(fence, '').replace(/^(?=\/)/gm, ' ')
  return `${fence}\n${cut(body, longestComment - 2_010)}\n${fence}`
}

function cut(text: string, length = longestComment - 5_000): string {
  if (text.length <= length) return text
  const kept = text.slice(0, length)
  return `${kept.slice(0, Math.max(kept.lastIndexOf('\n'), length - 2_000)).toWellFormed()}\n\n…`
}
