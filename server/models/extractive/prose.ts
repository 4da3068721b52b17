import { toVisibleText } from '../../visible-text.ts'

const codeSpan = /(`+)([^`]+)\1/g

/** Text as a person sees it: without invisible marks, with plain line ends. */
export function visible(text: string): string {
  return toVisibleText(text.replace(/\r\n?/g, '\n'))
}

/**
 * Text of a source as plain prose on one line that cannot inject anything into Markdown: no markup, no links, no images,
 * no mentions, no markers like `[1]`. What looks like code becomes a code span, where nothing is interpreted.
 */
export function plain(text: string): string {
  const bare = visible(text)
    .replace(/<!--[^]*?(?:-->|$)/g, ' ')
    .replace(/!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])/g, ' ')
    .replace(/\[([^\]]+)\](?:\([^)]*\)|\[[^\]]*\])/g, '$1')
    .replace(/\{@(?:link|linkcode|see)\s+([^}\s|]+)[^}]*\}/g, '`$1`')
    .replace(/:[a-z:]+:`~?!?\.?([^`<]+?)(?:\s*<[^>]*>)?`/g, '`$1`')
    .replace(/`([^`<]+?)\s+<[^>]*>`_+/g, '$1')
    .replace(/<((?:https?|mailto|ftp):[^>]*)>/gi, '$1')
    .replace(/<[@#!][^>]*>/g, ' ')
    .replace(/<\/?[a-z][^>]*>/gi, ' ')
    .replace(/(?:\b[a-z][a-z0-9+.-]*:\/\/|\bwww\.)[^\s)>\]"'`]+/gi, '(link)')
    .replace(/\b(?:mailto|data|javascript):\S+/gi, '(link)')
    .replace(/\(link\)\]/g, '(link)')
    .replace(/\*\*([^*]+)\*\*/g, '$1')
    .replace(/(?<![\p{L}\p{N}_])(?:__|\*|_)(?=\S)([^*_\n]+?)(?:__|\*|_)(?![\p{L}\p{N}_])/gu, '$1')
    .replace(/\s+/g, ' ')
    .trim()
  let plain = ''
  let at = 0
  for (const match of bare.matchAll(codeSpan)) {
    plain += words(bare.slice(at, match.index)) + span(match[2]!)
    at = match.index + match[0].length
  }
  return (plain + words(bare.slice(at))).replace(/\s+/g, ' ').replace(/\(link\)(?:[\s,]*\(link\))+/g, '(link)').trim()
}

/** Words outside code spans: what Markdown or a chat would interpret is put into a code span or dropped. */
function words(text: string): string {
  return text
    .replace(/`/g, '')
    .replace(/\[(\d+)\]/g, '($1)')
    .replace(/[[\]]/g, '')
    .split(/(\s+)/)
    .map((word) => {
      const [, before, core, after] = /^([("'‘“]*)(.*?)([)"'’”.,;:!?…]*)$/s.exec(word)!
      return core && /[_*<>|~@#\\]|\(\)$/.test(core) ? `${before}${span(core.replace(/[*~|\\]/g, ''))}${after}` : word
    })
    .join('')
}

/** A name or path as a code span; whatever could end the span is dropped. */
export function span(code: string): string {
  const inside = visible(code).replace(/[`\n]/g, ' ').replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s'"`)>]*/gi, '…').replace(/\s+/g, ' ').trim()
  return inside ? `\`${inside}\`` : ''
}

/** Sentences of plain prose; abbreviations, numbers and stops inside a code span do not end one. */
export function sentences(prose: string): string[] {
  const parts = prose
    .replace(/\b(e\.g|i\.e|etc|vs|cf|resp|approx|incl|Mr|Dr|No|v\d+)\.(?=\s)/g, '$1\u0000')
    .split(/(?<=[.!?]["')\]]?)\s+(?=[\p{Lu}\p{N}`"'(‘“])/u)
  const whole: string[] = []
  for (const part of parts) {
    const before = whole.at(-1)
    if (before !== undefined && (before.match(/`/g)?.length ?? 0) % 2 === 1) whole[whole.length - 1] = `${before} ${part}`
    else whole.push(part)
  }
  return whole.map((sentence) => sentence.replace(/\u0000/g, '.').trim()).filter((sentence) => /\p{L}{2}/u.test(sentence))
}

/** Prose in quotation marks for use inside a sentence: no final stop, cut at a word when longer than `most` characters. */
export function quote(prose: string, most = 240): string {
  const inside = prose.trim().replace(/["“”]/g, "'").replace(/[\s.:;,]+$/, '')
  return `"${inside.length <= most ? inside : cut(inside, most)}"`
}

function cut(text: string, most: number): string {
  const head = text.slice(0, most)
  const shorter = head.slice(0, Math.max(head.lastIndexOf(' '), most / 2)).replace(/[\s,;:.(]+$/, '')
  const closed = (shorter.match(/`/g)?.length ?? 0) % 2 === 0 ? shorter : shorter.slice(0, shorter.lastIndexOf('`')).trimEnd()
  return `${closed} …`
}

/** Lines that begin the technical half of a doc comment: parameters, examples, history. */
const technical =
  /^\s*(?:@\w|:(?:param|type|return|returns|rtype|raise|raises|arg|attr)\b|\.\. ?[a-z-]+::|(?:args|arguments|parameters|params|returns?|raises|throws|yields|examples?|usage|notes?|see also)\s*:?\s*$|(?:args|arguments|parameters|returns|raises|throws|example)\s*:|>>>|```|-{3,}|={3,}|\$ )/i
const empty = /^(?:todo|fixme|xxx|hack|eslint|tslint|prettier|istanbul|noqa|pylint|type:|nolint|go:|\+build|copyright|license|spdx)\b/i

/** What a doc comment says first, as sentences of plain prose; nothing when it holds parameters or directives only. */
export function docSentences(doc: string | null): string[] {
  if (!doc) return []
  const lines: string[] = []
  for (const line of visible(doc).split('\n')) {
    if (technical.test(line)) {
      const told = /^\s*@(?:description|summary|desc)\s+(.*)/i.exec(line)?.[1]
      if (told) lines.push(told)
      else if (lines.some((each) => each.trim())) break
      continue
    }
    if (!line.trim() && lines.some((each) => each.trim())) break
    lines.push(line)
  }
  const prose = plain(lines.join('\n'))
  return empty.test(prose) ? [] : sentences(prose)
}
