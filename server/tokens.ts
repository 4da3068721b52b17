import { stemmer } from 'stemmer'

const words = /[\p{L}\p{M}\p{N}_$]+/gu
/** The same where all is ASCII, as most of a source tree is, in less than half the time. */
const asciiWords = /[\w$]+/g
const ascii = /^\p{ASCII}*$/u
const humps = /\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|\p{N}+|\p{L}+/gu
const unspaced = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]+/u
const longest = 100

/** Words that say nothing about which passage is meant. */
const stopWords = new Set(
  'a an and are as at be but by can could did do does for from had has have how i if in into is it its me my no not of on or our shall she should so than that the their them then there these they this those to us was we were what when where which while who why will with would you your'.split(
    ' ',
  ),
)

/**
 * The terms of a text for lexical search, in order, repeats kept: each identifier joined and lower-cased
 * (`getUserTokens`, `get_user_tokens` → `getusertoken`), then its parts (`get`, `user`, `token`), all stemmed, accents
 * dropped. Scripts written without spaces give pairs of characters. Index and question go through this same function.
 */
export function tokens(text: string): string[] {
  const found: string[] = []
  for (const word of text.match(ascii.test(text) ? asciiWords : words) ?? []) for (const term of termsOf(word)) found.push(term)
  return found
}

/** A tree repeats its words: the same few thousand are taken apart again and again. */
const known = new Map<string, readonly string[]>()
const mostKnown = 20_000

function termsOf(word: string): readonly string[] {
  const terms = known.get(word)
  if (terms) return terms
  if (word.length > longest) return toTerms(word)
  // A copy: a piece of a text keeps the whole text alive.
  const own = Buffer.from(word).toString()
  const made = toTerms(own)
  if (known.size >= mostKnown) known.clear()
  known.set(own, made)
  return made
}

function toTerms(word: string): string[] {
  if (unspaced.test(word)) return pairs(word)
  const parts = fold(word).match(humps) ?? []
  const joined = parts.join('').toLowerCase()
  if (joined.length === 0 || joined.length > longest || stopWords.has(joined)) return []
  if (parts.length === 1) return [stem(joined)]
  const lower = parts.map((part) => part.toLowerCase()).filter((part) => part.length > 1 && !stopWords.has(part))
  return [stem(joined), ...lower.map(stem)]
}

function pairs(word: string): string[] {
  const characters = [...word.toLowerCase()]
  if (characters.length === 1) return characters
  return characters.slice(1).map((character, at) => characters[at]! + character)
}

function fold(word: string): string {
  // Most of a source tree is ASCII, and normalising costs more than looking.
  return /^[\w$]*$/.test(word) ? word : word.normalize('NFKD').replace(/\p{M}/gu, '')
}

const stems = new Map<string, string>()

function stem(word: string): string {
  if (!/^[a-z]+$/.test(word)) return word
  const stemmed = stems.get(word) ?? stemmer(word)
  if (stems.size >= mostKnown) stems.clear()
  stems.set(word, stemmed)
  return stemmed
}
