import { Parser } from 'htmlparser2'
import type { ReceivedActivity } from './received-activity.ts'

const entities: Record<string, string> = { nbsp: ' ', lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

/** What an HTML entity stands for; one that is not known stays as it is. */
export function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/gi, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return entities[name.toLowerCase()] ?? whole
    const point = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal)
    return point > 0 && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff) ? String.fromCodePoint(point) : whole
  })
}

/** The text of a message: the mention of `self` is taken out, other mentions become `@name`. */
export function toPlainText(activity: Pick<ReceivedActivity, 'text' | 'entities'>, self: string): string {
  let text = activity.text ?? ''
  for (const { text: written, mentioned } of mentionsOf(activity)) {
    // An empty one would be found between any two letters.
    if (written) text = text.replaceAll(written, mentioned?.id === self ? ' ' : ` @${mentioned?.name ?? 'someone'} `)
  }
  return tidy(decodeEntities(text.replace(/<at\b[^<>]*>([^<]*)<\/at>/gi, '@$1')))
}

export function mentionsOf({ entities: given }: Pick<ReceivedActivity, 'entities'>): NonNullable<ReceivedActivity['entities']> {
  return (given ?? []).filter(({ type }) => type === 'mention')
}

const blocks: ReadonlySet<string> = new Set('p div li tr h1 h2 h3 h4 h5 h6 pre blockquote'.split(' '))
const unread: ReadonlySet<string> = new Set(['script', 'style'])

/** The text of an HTML message, as Microsoft Graph hands it out. */
export function fromHtml(html: string): string {
  const pieces: string[] = []
  let hidden = 0
  const parser = new Parser({
    onopentag(name) {
      if (unread.has(name)) hidden++
      else if (name === 'at') pieces.push('@')
      else if (name === 'br') pieces.push('\n')
    },
    ontext(text) {
      if (hidden === 0) pieces.push(text)
    },
    onclosetag(name) {
      if (unread.has(name)) hidden--
      else if (blocks.has(name)) pieces.push('\n')
    },
  })
  parser.end(html)
  return tidy(pieces.join(''))
}

function tidy(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/\u00a0/g, ' ')
    .replace(/ +(?=\n)/g, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}
