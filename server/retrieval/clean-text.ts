import { invisible } from '../visible-text.ts'

/**
 * Takes out of a model's text whatever a surface would turn into a link, an image, markup or a mention. What is left
 * carries no address: addresses are built by us, from citations alone.
 *
 * `prose` and `code` differ: in code, brackets, angle brackets and decorators are what they say and stay.
 */
export type TextKind = 'prose' | 'code'

/** What stands where an address stood. */
export const removedLink = '(link removed)'

const lineBreaks = /[\u0085\u2028\u2029]/g
/** Full-width ASCII and the other dots and slashes that a browser reads as ASCII in an address. */
const lookAlikes: [RegExp, string | ((character: string) => string)][] = [
  [/[\uFF01-\uFF5E]/g, (character) => String.fromCharCode(character.charCodeAt(0) - 0xfee0)],
  [/[\u3002\uFF61\u2024](?=[\p{L}\p{N}])/gu, '.'],
  [/[\u2044\u2215\u29F8]/g, '/'],
  [/[\uFE55\uA789\u2236\u02D0](?=\s*\/)/g, ':'],
]

const scheme = /[a-z][a-z0-9+.-]{0,30}(?::|%3a)(?:\/|\\|%2f){2}/i
const loopback =
  /(?<![a-z0-9+.-])https?:\/\/((?:localhost|127\.0\.0\.1|\[::1\]|0\.0\.0\.0)(?::\d{1,5})?)\/?(?=[\s`'",;)\]}]|[.?!](?:\s|$)|$)/gi
const withScheme = new RegExp(`${scheme.source}[^\\s<>\`"']*`, 'gi')
const opaque =
  /(?<![\p{L}\p{N}_])(?:mailto|tel|sms|javascript|vbscript|blob|about|cid|xmpp|magnet|slack|msteams|vscode):(?=[^\s:])[^\s<>`"']*|(?<![\p{L}\p{N}_])data:[a-z0-9.+-]*\/?[a-z0-9.+-]*(?:;[a-z0-9=-]+)*,[^\s<>`"']*/giu
const protocolRelative = /(?<![/\\])(?:\/\/|\\\\)[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)+[^\s<>`"']*/giu
const www = /(?<![\p{L}\p{N}])www\d?\.[^\s<>`"')]+/giu
const email = /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu
const host = '(?:[\\p{L}\\p{N}][\\p{L}\\p{N}_-]{0,62}\\.){1,10}'
/** Endings that nothing but a host has. */
const plainHost = new RegExp(
  `(?<![\\p{L}\\p{N}])${host}(?:com|org|edu|gov|mil|info|biz|xyz|online|site|top|click|icu|example|invalid|co\\.uk|xn--[a-z0-9-]+)(?![\\p{L}\\p{N}_-])(?:[:/?#][^\\s<>\`"']*)?`,
  'giu',
)
/** Endings that a module or a file may have too (`flask.app`, `socket.io`): a host only where a port, path or query follows. */
const hostWithPath = new RegExp(
  `(?<![\\p{L}\\p{N}])${host}(?:net|io|dev|app|ai|co|me|cc|to|ly|gg|tv|ru|cn|eu|uk|de|fr|nl|us|in|link|cloud|page|live|life|tech|store|shop|website|space|test|local|internal)(?:/|\\?|#|:\\d)[^\\s<>\`"']*`,
  'giu',
)
/** Any dotted name that carries a query: text sent somewhere. */
const hostWithQuery = new RegExp(
  `(?<![\\p{L}\\p{N}])${host}[\\p{L}]{2,24}(?::\\d+)?(?:/[^\\s<>\`"'?]*)?\\?[^\\s<>\`"'=]*=[^\\s<>\`"']*`,
  'giu',
)
const numericHost = /(?<![\p{L}\p{N}.])(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?[/?](?!\d{1,2}(?![\p{L}\p{N}]))[^\s<>`"']*/gu

const imageOrLink =
  /!?\[((?:[^[\]\\]|\\.|\[[^[\]]*\]){0,2000})\]\(\s*(?:<[^>\n]*>|[^()\s]*(?:\([^()\s]*\)[^()\s]*)*)(?:\s+(?:"[^"]*"|'[^']*'|\([^)]*\)))?\s*\)/g
const reference = /!?\[((?:[^[\]\\]|\\.){0,2000})\] ?\[([^[\]\n]{0,200})\]/g
const definition = /^[ \t]{0,3}(?:>[ \t]?)*\[[^\]\n]{1,1000}\]:[ \t]*\S*.*$/gm
/** A link whose address could not be read whole: parted from its words, it is none. */
const openTarget = /\](\(|:(?=[ \t]*\S))/g
const imageStart = /!\[/g
const slackLink = /<([^<>|\n]*)\|([^<>\n]*)>/g
const slackMention = /<(?:!|@|#)[^<>\s]*>/g
const htmlTag =
  /<\/?(?:a|abbr|address|area|article|aside|audio|b|base|bdi|bdo|blockquote|body|br|button|canvas|center|cite|code|col|dd|del|details|dialog|div|dl|dt|em|embed|fieldset|figure|font|footer|form|frame|frameset|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|kbd|label|legend|li|link|main|map|mark|marquee|math|meta|nav|noscript|object|ol|option|p|param|picture|pre|s|script|section|select|small|source|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|time|title|tr|track|u|ul|var|video|wbr)(?=[\s/>])[^<>]*>/gi
const htmlComment = /<!--[\s\S]*?(?:-->|$)/g
const tagStart = /<(?=[a-z/!?@#])/gi
const entity =
  /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(colon|sol|period|commat|lt|gt|lpar|rpar|lsqb|lbrack|rsqb|rbrack|excl|bsol|num|quest|equals|amp|nbsp|shy|zwj|zwnj|ZeroWidthSpace|NoBreak|Tab|NewLine));?/gi
const named: Record<string, string> = {
  colon: ':',
  sol: '/',
  period: '.',
  commat: '@',
  lt: '<',
  gt: '>',
  lpar: '(',
  rpar: ')',
  lsqb: '[',
  lbrack: '[',
  rsqb: ']',
  rbrack: ']',
  excl: '!',
  bsol: '\\',
  num: '#',
  quest: '?',
  equals: '=',
  amp: '&',
  nbsp: ' ',
  tab: ' ',
  newline: ' ',
}
const escaped = /\\(?=[:/.@<[\]()!#])/g
const atName = /(?<![\p{L}\p{N}@/])@+([\p{L}\p{N}_]+(?:[./-][\p{L}\p{N}_]+)*)/gu
const crossReference = /(?<![\p{L}\p{N}_./-])([\p{L}\p{N}_.-]+\/[\p{L}\p{N}_.-]+)(#\d+)/gu
const slackBroadcast = /<!(?=channel|here|everyone|subteam|date)/gi
const slackUser = /<@(?=[UWB][A-Z0-9]{2,})/g

export type CleanedText = { text: string; removed: number }

/**
 * @param mayKeep whether a host without scheme may stay in code, such as a Go import path that a given passage has
 *   word for word. A model cannot put anything of its own into such a name.
 */
export function cleanText(text: string, kind: TextKind, mayKeep: (name: string) => boolean = () => false): CleanedText {
  let current = plain(text)
  let removed = 0
  // Taking one thing out can join what stood on its sides into another, so it is repeated until nothing changes.
  for (let round = 0; round < 8; round++) {
    const before = current
    const drop = (whole: string, by: string) => {
      removed++
      return by + (trailing.exec(whole)?.[0] ?? '')
    }
    if (kind === 'prose') current = withoutMarkup(current, () => removed++)
    current = withoutAddresses(current, (whole, isBare) =>
      isBare && kind === 'code' && mayKeep(whole) ? whole : drop(whole, removedLink),
    )
    current = current.replace(slackBroadcast, '<! ').replace(slackUser, '<@ ')
    if (current === before) break
  }
  // Whatever still reads as an address after that is broken rather than trusted.
  while (scheme.test(current))
    current = current.replace(new RegExp(scheme.source, 'gi'), (found) => found.replace(/[:%\\/]/g, ' '))
  return { text: current, removed }
}

/** Punctuation that ends the sentence rather than the address. */
const trailing = /[.,;:!?)\]}*_]+$/

function plain(text: string): string {
  let current = text.toWellFormed().replace(lineBreaks, '\n').replace(invisible, '')
  for (const [pattern, by] of lookAlikes) current = current.replace(pattern, by as string)
  return current
}

function withoutAddresses(text: string, drop: (whole: string, isBare: boolean) => string): string {
  let current = text.replace(loopback, '$1')
  for (const pattern of [withScheme, opaque, protocolRelative])
    current = current.replace(pattern, (whole) => drop(whole, pattern === protocolRelative))
  for (const pattern of [www, email, plainHost, hostWithQuery, hostWithPath, numericHost])
    current = current.replace(pattern, (whole) => drop(whole, true))
  return current
}

function withoutMarkup(text: string, count: () => void): string {
  const label = (_: string, words: string) => {
    count()
    return /^\s*\d+\s*$/.test(words) ? `[${words.trim()}]` : words
  }
  return (
    text
      .replace(entity, (_, decimal?: string, hex?: string, name?: string) => decoded(decimal, hex, name))
      .replace(escaped, '')
      .replace(htmlComment, '')
      .replace(definition, () => (count(), ''))
      .replace(imageOrLink, label)
      // A linked image is a link around what the first pass left.
      .replace(imageOrLink, label)
      .replace(reference, (whole, words: string, to: string) =>
        /^[\d,\s-]*$/.test(words) && /^[\d,\s-]+$/.test(to) ? whole : label(whole, words),
      )
      .replace(slackMention, () => (count(), ''))
      .replace(slackLink, (_, __, words: string) => (count(), words))
      .replace(htmlTag, () => (count(), ''))
      .replace(tagStart, '< ')
      .replace(openTarget, '] $1')
      .replace(imageStart, '[')
      .replace(atName, '$1')
      .replace(crossReference, '$1 $2')
  )
}

function decoded(decimal?: string, hex?: string, name?: string): string {
  if (name) return named[name.toLowerCase()] ?? ''
  const code = decimal ? Number.parseInt(decimal, 10) : Number.parseInt(hex!, 16)
  return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? plain(String.fromCodePoint(code)) : ''
}
