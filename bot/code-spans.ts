/** Parts two marks that would be read as one; nobody sees it. */
export const unseen = '\u2060'

/** A run of backticks that no backslash escapes, and what stands before the next run of as many: code within a line, as CommonMark reads it. */
const codeSpan = /(?<![`\\])(`+)(?!`)(?:.*?[^`])\1(?!`)/g

/** The parts of a line: code within it, and the text between. Backticks that open nothing are left out of the text, so that everyone reads it alike. */
export function splitCodeSpans(line: string): { text: string; isCode: boolean }[] {
  const parts: { text: string; isCode: boolean }[] = []
  let end = 0
  for (const { index, 0: span } of line.matchAll(codeSpan)) {
    parts.push({ text: withoutBackticks(line.slice(end, index)), isCode: false }, { text: span, isCode: true })
    end = index + span.length
  }
  return [...parts, { text: withoutBackticks(line.slice(end)), isCode: false }]
}

/** Whether a backtick stands in a line that opens code which has not ended there. */
export function hasOpenCode(line: string): boolean {
  return line.replace(codeSpan, '').includes('`')
}

/**
 * Turns text and code of a line each in its way. Backticks that the turned text brings along are kept working: no backslash
 * escapes them, and beside code they are parted from it, for two runs would be read as one.
 */
export function turnLineByCode(line: string, turn: { text(text: string): string; code(code: string): string }): string {
  let turned = ''
  for (const { text, isCode } of splitCodeSpans(line)) {
    const next = isCode ? turn.code(text) : turn.text(text).replace(/\\+(?=`)/g, '').replaceAll('``', `\`${unseen}\``)
    if (next.startsWith('`')) turned = turned.replace(/\\+$/, '').replace(/`$/, `\`${unseen}`)
    turned += next
  }
  return turned
}

const withoutBackticks = (text: string) => text.replace(/\\*`/g, '')
