import { stemmer } from 'stemmer'

const words = /[\p{L}\p{N}_$]+/gu
const humps = /\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|\p{N}+|\p{L}+/gu

/** Words that say nothing about which passage is meant. */
const stopWords = new Set(
  'a an and are as at be but by can could did do does for from had has have how i if in into is it its me my no not of on or our shall she should so than that the their them then there these they this those to us was we were what when where which while who why will with would you your'.split(' '),
)

/**
 * The terms of a text for lexical search, in order, repeats kept: each identifier joined and lower-cased
 * (`getUserToken`, `get_user_token` → `getusertoken`), then its stemmed parts (`get`, `user`, `token`).
 * Index and question go through this same function.
 */
export function tokens(text: string): string[] {
  const found: string[] = []
  for (const [word] of text.matchAll(words)) {
    const parts = word.match(humps) ?? []
    const joined = parts.join('').toLowerCase()
    if (joined.length === 0 || joined.length > 100 || stopWords.has(joined)) continue
    found.push(parts.length > 1 ? joined : stem(joined))
    if (parts.length > 1) for (const part of parts) if (part.length > 1 && !stopWords.has(part.toLowerCase())) found.push(stem(part.toLowerCase()))
  }
  return found
}

function stem(word: string): string {
  return /^[a-z]+$/.test(word) ? stemmer(word) : word
}
