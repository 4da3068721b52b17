/** How an order is written down. `isSeen`: whether who looks at the text sees anything of it. */
export type Encoding = { name: string; isSeen: boolean; encode(order: string): string; /** What a model might read out of a text again. */ decode(text: string): string }

const same = (text: string) => text
const lookAlike: Record<string, string> = { a: 'а', e: 'е', o: 'о', p: 'р', c: 'с', x: 'х', y: 'у', i: 'і' }
const latin = Object.fromEntries(Object.entries(lookAlike).map(([from, to]) => [to, from]))
const bytesOf = (text: string) => [...Buffer.from(text)]
const toBits = (text: string) => bytesOf(text).flatMap((byte) => [...byte.toString(2).padStart(8, '0')])
const fromBits = (bits: string) => Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2))).toString()
const inBits = (name: string, zero: string, one: string): Encoding => ({
  name,
  isSeen: false,
  encode: (order) => toBits(order).map((bit) => (bit === '0' ? zero : one)).join(''),
  decode: (text) => fromBits([...text].flatMap((each) => (each === zero ? ['0'] : each === one ? ['1'] : [])).join('')),
})
const parted = (name: string, mark: string): Encoding => ({ name, isSeen: true, encode: (order) => [...order].join(mark), decode: (text) => text.replaceAll(mark, '') })

export const encodings: readonly Encoding[] = [
  { name: 'plain', isSeen: true, encode: same, decode: same },
  { name: 'tag characters', isSeen: false, encode: (order) => bytesOf(order).map((byte) => String.fromCodePoint(0xe0000 + (byte & 127))).join(''), decode: (text) => text.replace(/[\u{E0000}-\u{E007F}]/gu, (each) => String.fromCharCode(each.codePointAt(0)! - 0xe0000)) },
  parted('zero-width spaces between letters', '\u200B'),
  { name: 'base64', isSeen: true, encode: (order) => Buffer.from(order).toString('base64'), decode: (text) => text.replace(/[A-Za-z0-9+/]{24,}={0,2}/g, (each) => Buffer.from(each, 'base64').toString()) },
  inBits('bits of zero-width characters', '\u200B', '\u200C'),
  { name: 'entities', isSeen: true, encode: (order) => [...order].map((each) => `&#${each.codePointAt(0)};`).join(''), decode: (text) => text.replace(/&#(\d{1,6});/g, (_, code: string) => String.fromCodePoint(Number(code))) },
  { name: 'variation selectors', isSeen: false, encode: (order) => bytesOf(order).map((byte) => String.fromCodePoint(byte < 16 ? 0xfe00 + byte : 0xe0100 + byte - 16)).join(''), decode: (text) => Buffer.from([...text].flatMap((each) => { const code = each.codePointAt(0)!; return code >= 0xfe00 && code < 0xfe10 ? [code - 0xfe00] : code >= 0xe0100 && code < 0xe01f0 ? [code - 0xe0100 + 16] : [] })).toString() },
  { name: 'letters of Cyrillic', isSeen: true, encode: (order) => order.replace(/[aeopcxyi]/g, (each) => lookAlike[each]!), decode: (text) => text.replace(/[аеорсхуі]/g, (each) => latin[each]!) },
  { name: 'full width', isSeen: true, encode: (order) => order.replace(/[!-~]/g, (each) => String.fromCharCode(each.charCodeAt(0) + 0xfee0)), decode: (text) => text.normalize('NFKC') },
  parted('soft hyphens between letters', '\u00AD'),
  { name: 'turned around by a mark of direction', isSeen: true, encode: (order) => `\u202E${[...order].reverse().join('')}\u202C`, decode: (text) => text.split('\n').map((line) => [...line].reverse().join('')).join('\n') },
  { name: 'per cent', isSeen: true, encode: (order) => bytesOf(order).map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''), decode: (text) => text.replace(/(?:%[0-9a-f]{2})+/gi, (each) => Buffer.from(each.replaceAll('%', ''), 'hex').toString()) },
  inBits('bits of invisible operators', '\u2063', '\u2064'),
  { name: 'hexadecimal', isSeen: true, encode: (order) => Buffer.from(order).toString('hex'), decode: (text) => text.replace(/\b(?:[0-9a-f]{2}){12,}\b/g, (each) => Buffer.from(each, 'hex').toString()) },
  { name: 'letters apart', isSeen: true, encode: (order) => [...order].join(' '), decode: (text) => text.replace(/(?<=\S) (?=\S(?: |$))/gm, '') },
]
