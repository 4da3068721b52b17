import { visible } from '../../models/extractive/prose.ts'

/** Characters that no reader sees, or that would end the line. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]+/gu
const longestUrl = 1_500

/** Someone's text as code on one line: nothing in it is live. */
export function code(text: string, longest = 100): string {
  const line = shorten(visible(text.toWellFormed()).replace(/\s+/g, ' ').replace(unseen, ' ').trim(), longest).replaceAll('<!--', '<!\u200B--')
  const ticks = '`'.repeat(Math.max(0, ...(line.match(/`+/g) ?? []).map(({ length }) => length)) + 1)
  const pad = /^`|`$|^$/.test(line) ? ' ' : ''
  return `${ticks}${pad}${line}${pad}${ticks}`
}

/** @param url one of ours, or null where there is none; then the label stands alone */
export function link(label: string, url: string | null): string {
  return url === null || url.length > longestUrl ? label : `[${label}](${url})`
}

export function shorten(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1).toWellFormed().replace(/\uFFFD$/, '').trimEnd()}…`
}

/** `1,234`. */
export function grouped(number: number): string {
  return number.toLocaleString('en-US')
}

/** `3 files`, `1 file`. */
export function count(number: number, noun: string): string {
  return `${grouped(number)} ${number === 1 ? noun : noun.endsWith('s') ? `${noun}es` : `${noun}s`}`
}

/** `a`, `a and b`, `a, b and c`. */
export function list(items: string[]): string {
  return items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
}
