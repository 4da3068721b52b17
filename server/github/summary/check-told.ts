import { checkCitations } from '../../retrieval/check-citations.ts'
import { defang } from '../defang.ts'
import type { Told } from './compose.ts'
import { code, link } from './markdown.ts'
import type { HunkPassage } from './prompt.ts'

const longest = { what: 1_100, lookAt: 350 }
const most = { lookAt: 3, links: 4 }

/** Nobody asked for a verdict, and text of the pull request may ask for one. */
const verdict = new RegExp(
  [
    String.raw`\bLGTM\b|\b(?:looks good|well done|great (?:work|job)|ship it|can be merged|please (?:merge|approve)|I (?:hereby )?approve)\b`,
    String.raw`\b(?:safe|ready|fine) to (?:be )?merge\b|^(?:approved?|merge)\b`,
    String.raw`\b(?:this|the) (?:PR|pull request|change) (?:is|has been|was) (?:hereby )?(?:approved|safe)\b`,
  ].join('|'),
  'i',
)

/** Pieces of a diff or of our own request. */
const raw = /@@ -\d|(?:BEGIN|END) (?:diff|notes|author)/
const longestSentence = 450

/**
 * Holds what a model wrote to what it was given: sentences that cite nothing go, and so do those that repeat what it read
 * word for word, addresses, mentions, markup and verdicts. The links are made here, from the numbers.
 * @param read the texts that people wrote and the model read, beside the hunks
 * @returns null when nothing of it may be shown
 */
export function checkTold(text: string, hunks: HunkPassage[], read: string[], address: (hunk: HunkPassage) => string | null): Told | null {
  const { text: checked } = checkCitations(text.replaceAll('-->', ''), { passages: hunks })
  const isEcho = createEchoTest([...read, ...hunks.map(({ content }) => content)])
  const blocks = toBlocks(checked).flatMap(({ isLine, text: block }) => {
    const kept = keepSentences(block, isEcho)
    return kept === '' ? [] : [{ isLine, text: kept }]
  })
  const show = (block: string, length: number) => toLinks(quiet(cutSentences(block, length)), hunks, address)
  const what = blocks.filter(({ isLine }) => !isLine).map((block) => block.text).join(' ')
  const lines = blocks.filter(({ isLine }) => isLine).map((block) => show(block.text, longest.lookAt))
  if (what === '') return null
  return { what: show(what, longest.what), lookAt: lines.filter((line) => line !== '').slice(0, most.lookAt) }
}

/** The notes of one request, as far as they cite its hunks. */
export function checkNotes(text: string, hunks: HunkPassage[]): string {
  const { text: checked } = checkCitations(text, { passages: hunks })
  const isEcho = createEchoTest(hunks.map(({ content }) => content))
  const kept = toBlocks(checked).map((block) => cutSentences(keepSentences(block.text, isEcho), longestSentence))
  return kept.filter((line) => line !== '').map((line) => `- ${line}`).join('\n')
}

/** Paragraphs and list entries, each on one line; headings and fences are neither. */
function toBlocks(text: string): { isLine: boolean; text: string }[] {
  const blocks: { isLine: boolean; text: string }[] = []
  let open = false
  for (const line of text.split('\n')) {
    const entry = /^\s*(?:[-*+•]|\d{1,2}[.)])\s+(.*)$/.exec(line)?.[1]
    const isNone = line.trim() === '' || /^\s*(?:#{1,6}\s|`{3}|~{3}|\||>|[-=*_]{3,}\s*$)/.test(line)
    if (isNone) open = false
    else if (entry !== undefined) {
      blocks.push({ isLine: true, text: entry.trim() })
      open = true
    } else if (open) blocks.at(-1)!.text += ` ${line.trim()}`
    else {
      blocks.push({ isLine: false, text: line.trim() })
      open = true
    }
  }
  return blocks
}

function keepSentences(text: string, isEcho: (sentence: string) => boolean): string {
  const kept = sentences(text).filter(
    (sentence) => /\[\d+\]/.test(sentence) && sentence.length <= longestSentence && !verdict.test(sentence.trim()) && !raw.test(sentence) && !isEcho(sentence),
  )
  return kept.join('').trim()
}

/** Words in a row that nobody writes anew by chance. */
const echoed = 8

function createEchoTest(texts: string[]): (sentence: string) => boolean {
  const known = new Set<string>()
  for (const text of texts) for (const run of runsOf(text)) known.add(run)
  return (sentence) => runsOf(sentence.replace(/\[\d+\]/g, '')).some((run) => known.has(run))
}

function runsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
  return Array.from({ length: Math.max(0, words.length - echoed + 1) }, (_, at) => words.slice(at, at + echoed).join(' '))
}

function sentences(text: string): string[] {
  return text.match(/.+?(?:[.!?](?:\s*\[\d+\])*(?=\s|$)\s*|$)/gs) ?? []
}

/** Whole sentences up to a length; one that is too long by itself goes. */
function cutSentences(text: string, length: number): string {
  let cut = ''
  for (const sentence of sentences(text)) {
    if (cut.length + sentence.length > length) break
    cut += sentence
  }
  return cut.trim()
}

/** On one line, and live nowhere, no mark left open that would take in a link of ours; what the defanging can only show as a block is left out. */
function quiet(text: string): string {
  const safe = defang(text.replace(/`([^`]+)`|`+/g, (_, inner?: string) => (inner ? `\`${inner}\`` : '')))
  return safe.includes('\n') ? '' : safe
}

function toLinks(text: string, hunks: HunkPassage[], address: (hunk: HunkPassage) => string | null): string {
  let links = 0
  const parts = text.split(/(`+[^`]*`+)/)
  const shown = parts.map((part, at) => {
    if (at % 2 === 1) return part
    return part.replace(/(?:\s*\[\d+\])+/g, (marks) => {
      const places = new Map<string, string>()
      for (const [, n] of marks.matchAll(/\[(\d+)\]/g)) {
        const hunk = hunks.find((each) => each.n === Number(n))
        if (hunk) places.set(`${hunk.path}:${hunk.startLine}`, link(code(`${hunk.path.slice(hunk.path.lastIndexOf('/') + 1)}:${hunk.startLine}`, 60), address(hunk)))
      }
      const few = [...places.values()].slice(0, Math.max(0, most.links - links))
      links += few.length
      return few.length === 0 ? '' : ` (${few.join(', ')})`
    })
  })
  return shown.join('').trim()
}
