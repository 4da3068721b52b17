import { cleanText } from './clean-text.ts'
import type { Passage } from './passage.ts'

export type CheckedText = {
  /** Markdown with `[n]` of given passages only, and no address, image, markup or mention. */
  text: string
  /** Numbers that the text cites, in order of first mention. */
  cited: number[]
  /** Numbers that were cited though no such passage was given. */
  unknown: number[]
  /** Links, images, tags and addresses taken out. */
  removed: number
}

export type CitationFilter = {
  /** @returns what may be shown by now: whole sentences and lines only, so that nothing is judged by half. */
  push(piece: string): string
  /** @returns the rest. Nothing may be pushed after it. */
  end(): string
  /** What was found so far; `text` is all that was returned. */
  checked(): CheckedText
}

type Given = Pick<Passage, 'n' | 'content' | 'path'>

/** The whole of a text at once; the same as pushing it in whatever pieces. */
export function checkCitations(text: string, evidence: { passages: Given[] }): CheckedText {
  const filter = createCitationFilter(evidence)
  filter.push(text)
  filter.end()
  return filter.checked()
}

/**
 * Holds a model's text to what it was given. A marker of a passage that was not given is dropped, and so is every
 * address, wherever it stands and however it is written: the addresses of an answer come from its citations.
 */
export function createCitationFilter(evidence: { passages: Given[] }): CitationFilter {
  const given = new Set(evidence.passages.map((passage) => passage.n))
  const quoted = (name: string) => evidence.passages.some(({ content, path }) => content.includes(name) || path.includes(name))
  const cited = new Set<number>()
  const unknown = new Set<number>()
  let removed = 0
  let shown = ''
  let held = ''
  let fence: string | null = null
  let atLineStart = true

  function clean(text: string, kind: 'prose' | 'code'): string {
    const cleaned = cleanText(text, kind, quoted)
    removed += cleaned.removed
    return cleaned.text
  }

  function checkUnit(unit: string): string {
    const startsLine = atLineStart
    atLineStart = unit.endsWith('\n')
    const mark = startsLine ? fenceStart.exec(unit) : null
    if (fence !== null) {
      if (!mark || !mark[2]!.startsWith(fence) || mark[3]!.trim() !== '') return clean(unit, 'code')
      fence = null
      return unit.replace(/[^\s`~>]/g, '')
    }
    if (mark && !(mark[2]![0] === '`' && mark[3]!.includes('`'))) {
      fence = mark[2]!
      return `${mark[1]}${mark[2]}${mark[3]!.trim().replace(/[^a-z0-9+#_-].*$/is, '')}${unit.endsWith('\n') ? '\n' : ''}`
    }
    return checkProse(unit)
  }

  function checkProse(unit: string): string {
    let out = ''
    let from = 0
    for (const span of unit.matchAll(codeSpan)) {
      out += checkMarkers(clean(unit.slice(from, span.index), 'prose')) + clean(span[0], 'code')
      from = span.index + span[0].length
    }
    return out + checkMarkers(clean(unit.slice(from), 'prose'))
  }

  function checkMarkers(text: string): string {
    return text.replace(marker, (_, space: string, list: string | undefined, lenticular: string | undefined) => {
      const kept = numbersIn(list ?? lenticular!).filter((n) => {
        if (!given.has(n)) unknown.add(n)
        else cited.add(n)
        return given.has(n)
      })
      return kept.length > 0 ? `${space}${kept.map((n) => `[${n}]`).join('')}` : ''
    })
  }

  function take(isEnd: boolean): string {
    let out = ''
    for (;;) {
      const at = fence !== null || (atLineStart && mayStartFence.test(held)) ? held.indexOf('\n') + 1 : unitEnd(held)
      if (at <= 0) break
      out += checkUnit(held.slice(0, at))
      held = held.slice(at)
    }
    if (isEnd && held !== '') {
      out += checkUnit(held)
      held = ''
    }
    shown += out
    return out
  }

  return {
    push(piece) {
      held += piece
      return take(false)
    },
    end: () => take(true),
    checked: () => ({ text: shown, cited: [...cited], unknown: [...unknown], removed }),
  }
}

/** Leading list and quote marks, the fence, the rest of its line. */
const fenceStart = /^((?:[ \t>]|[-*+] |\d{1,9}[.)] )*)(`{3,}|~{3,})([^\n]*)\n?$/
const mayStartFence = /^(?:[ \t>]|[-*+](?: |$)|\d{1,9}(?:[.)](?: |$)|$))*(?:[`~]|$)/
const codeSpan = /(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)/g
const marker = /([ \t]*)(?:\[\^?(\d{1,4}(?:\s*[,;–-]\s*\^?\d{1,4}){0,20})\]|【(\d{1,4})[^】\n]{0,200}】)/g

/** `1`, `1, 2`, `1-3` as numbers; a range longer than twenty is taken as its ends. */
function numbersIn(list: string): number[] {
  return list.split(/[,;]/).flatMap((part) => {
    const [from = 0, to = from] = part.split(/[–-]/).map((number) => Number(number.replace(/\D/g, '')))
    return to > from && to - from <= 20
      ? Array.from({ length: to - from + 1 }, (_, at) => from + at)
      : to === from
        ? [from]
        : [from, to]
  })
}

/**
 * Where the first unit of a text ends: after a line break, or after a sentence that leaves nothing open. Depends on the
 * text alone, never on the pieces it came in. 0 when the unit is not whole yet.
 */
function unitEnd(text: string): number {
  let ticks = false
  let open = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!
    if (character === '\n') return at + 1
    if (character === '`') ticks = !ticks
    else if (ticks) continue
    else if (character === '[' || character === '<' || character === '(') open++
    else if (character === ']' || character === '>' || character === ')') open = Math.max(0, open - 1)
    else if (
      (character === ' ' || character === '\t') &&
      open === 0 &&
      at > 1 &&
      sentenceEnd.test(text.slice(Math.max(0, at - 4), at))
    )
      return at + 1
  }
  return 0
}

const sentenceEnd = /[.!?…]["'”’)\]*_]*$/
