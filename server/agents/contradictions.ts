import { paragraphs } from '../models/extractive/paragraphs.ts'
import { fileRole } from '../retrieval/file-role.ts'
import type { Passage } from '../retrieval/passage.ts'

/** A value as a source gives it; `amount` makes `30 s` and `30000` of a name in milliseconds comparable. */
export type Value = { kind: 'number' | 'boolean'; text: string; amount: number }

/** The code gives something one value and a document another. */
export type Contradiction = {
  /** As the code spells it. */
  name: string
  code: { passage: Passage; line: number; value: Value }
  document: { passage: Passage; line: number; value: Value; sentence: string }
}

/**
 * Where code and documents of the evidence disagree on a value: a constant, a default or a setting whose name a sentence of a
 * document uses with another value. Only what can be compared is: the same kind of value, in the same unit, one value a
 * sentence, and a name that the code gives one value only. Better none than a wrong one.
 */
export function findContradictions(passages: Passage[]): Contradiction[] {
  const assigned = toAssignments(passages)
  const found: Contradiction[] = []
  for (const passage of passages) {
    if (passage.contentType === 'code') continue
    for (const { text, startLine } of paragraphs(passage)) {
      for (const sentence of toSentences(text).filter(isClaim)) {
        for (const [key, code] of assigned) {
          if (found.some(({ name }) => toKey(name) === key)) continue
          const value = valueBeside(sentence, code.name, code.value.kind)
          if (value && !isSame(code, value)) found.push({ name: code.name, code, document: { passage, line: startLine, value, sentence } })
        }
      }
    }
  }
  return found
}

type Assignment = { name: string; passage: Passage; line: number; value: Value; unit: Dimension | null }

/** `const maxRetries = 5`, `RETRY_LIMIT: 3`, `port = 8080`, `"timeoutMs": 30_000`, `z.coerce.number().default(3000)` beside its key. */
const assignment = /(?:^|[\s{(,;.])["'`]?([A-Za-z_][\w-]{2,60})["'`]?\s*(?::\s*[A-Za-z_][\w.<>[\]| ]{0,40})?\s*(?:=|:|:=|=>)\s*(?:Some\()?(-?\d[\d_]*(?:\.\d+)?(?:\s*\*\s*\d[\d_]*){0,3}|true|false)\s*[;,)\]}]*\s*(?:\/\/.*|#.*|--.*)?$/i
const defaulted = /["'`]?([A-Za-z_][\w-]{2,60})["'`]?\s*[:=].*\.default\(\s*(-?\d[\d_]*(?:\.\d+)?|true|false)\s*\)/i

/** What each name is set to in code that runs; a name with two values is not comparable. */
function toAssignments(passages: Passage[]): Map<string, Assignment> {
  const found = new Map<string, Assignment | null>()
  for (const passage of passages) {
    if (passage.contentType !== 'code' || fileRole(passage.path) === 'test') continue
    for (const [at, text] of passage.content.split('\n').entries()) {
      const [, name, written] = defaulted.exec(text) ?? assignment.exec(text) ?? []
      if (name === undefined || written === undefined || !isTelling(name)) continue
      const value = toValue(written)
      const key = toKey(name)
      const known = found.get(key)
      const same = known !== undefined && known !== null && known.value.amount === value.amount && known.value.kind === value.kind
      if (known === undefined) found.set(key, { name, passage, line: passage.startLine + at, value, unit: unitOf(name) })
      else if (!same) found.set(key, null)
    }
  }
  return new Map([...found].filter((entry): entry is [string, Assignment] => entry[1] !== null))
}

/** One word such as `max` or `size` could be anything: a name must be two words, or all capitals as settings are. */
function isTelling(name: string): boolean {
  return wordsOf(name).length > 1 || /^[A-Z][A-Z\d]{3,}$/.test(name)
}

function wordsOf(name: string): string[] {
  return name.replace(/(\p{Ll}|\d)(\p{Lu})/gu, '$1 $2').split(/[\s_-]+/).filter(Boolean).map((word) => word.toLowerCase())
}

function toKey(name: string): string {
  return wordsOf(name).join(' ')
}

function toValue(written: string): Value {
  if (/^(?:true|false)$/i.test(written)) return { kind: 'boolean', text: written.toLowerCase(), amount: written.toLowerCase() === 'true' ? 1 : 0 }
  const amount = written.split('*').reduce((product, factor) => product * Number(factor.replaceAll('_', '').trim()), 1)
  return { kind: 'number', text: written.replace(/\s+/g, ' '), amount }
}

type Dimension = 'time' | 'size'
type Scale = { dimension: Dimension; factor: number }
/** Of milliseconds and of bytes. */
const scales: [RegExp, Scale][] = [
  [/^(?:ms|msec|millis|milliseconds?)$/, { dimension: 'time', factor: 1 }],
  [/^(?:s|secs?|seconds?)$/, { dimension: 'time', factor: 1_000 }],
  [/^(?:mins?|minutes?)$/, { dimension: 'time', factor: 60_000 }],
  [/^(?:h|hrs?|hours?)$/, { dimension: 'time', factor: 3_600_000 }],
  [/^(?:d|days?)$/, { dimension: 'time', factor: 86_400_000 }],
  [/^(?:b|bytes?)$/, { dimension: 'size', factor: 1 }],
  [/^(?:kb|kib|kilobytes?)$/, { dimension: 'size', factor: 1024 }],
  [/^(?:mb|mib|megabytes?)$/, { dimension: 'size', factor: 1024 ** 2 }],
  [/^(?:gb|gib|gigabytes?)$/, { dimension: 'size', factor: 1024 ** 3 }],
]

function scaleOf(word: string | undefined): Scale | null {
  return (word === undefined ? undefined : scales.find(([pattern]) => pattern.test(word.toLowerCase()))?.[1]) ?? null
}

/** The unit that a name carries, such as `timeoutMs`, or hints at, such as `TIMEOUT`. */
function unitOf(name: string): Dimension | null {
  const last = wordsOf(name).at(-1)
  return scaleOf(last)?.dimension ?? (/timeout|delay|interval|duration|ttl|age|period/i.test(name) ? 'time' : /bytes|size/i.test(name) ? 'size' : null)
}

const numbers = /(?<![\w.,:/#-])(-?\d{1,3}(?:,\d{3})+|-?\d[\d_]*(?:\.\d+)?)(?:\s?(ms|msec|milliseconds?|s|secs?|seconds?|min|mins|minutes?|h|hrs?|hours?|days?|bytes?|[kmg]i?b|%|[a-z]+))?(?![\w/:-])/gi
const truths = /\b(?:(enabled|on|true|yes)|(disabled|off|false|no))(?: by default)?\b/gi

/** The one value that a sentence gives to a name it uses; null when it does not use it, or gives none or several. */
function valueBeside(sentence: string, name: string, kind: Value['kind']): (Value & { scale: Scale | null }) | null {
  const place = placeOf(sentence, name)
  if (place === null) return null
  const rest = `${sentence.slice(0, place.start)} ${' '.repeat(place.end - place.start)} ${sentence.slice(place.end)}`
  if (kind === 'boolean') {
    const found = [...rest.matchAll(truths)]
    if (found.length !== 1) return null
    return { kind, text: found[0]![0], amount: found[0]![1] ? 1 : 0, scale: null }
  }
  const found = [...rest.matchAll(numbers)]
  if (found.length !== 1) return null
  const [text, digits, unit] = found[0]!
  const scale = scaleOf(unit)
  return { kind, text: (scale ? text : digits!).trim(), amount: Number(digits!.replace(/[,_]/g, '')), scale }
}

/** Where a sentence spells a name: as code, or as its words in their order. */
function placeOf(sentence: string, name: string): { start: number; end: number } | null {
  const words = wordsOf(name).filter((word, at, all) => !(at === all.length - 1 && at > 0 && scaleOf(word)))
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}_])${words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('[\\s_-]*')}(?:[\\s_-]*(?:ms|seconds|bytes))?(?![\\p{L}\\p{N}_])`, 'iu')
  const match = words.length > 1 || /^[A-Z]/.test(name) ? pattern.exec(sentence) : null
  return match ? { start: match.index, end: match.index + match[0].length } : null
}

/** Whether both say the same: as written, or in any unit that the number of the code, or of the sentence, may have. */
function isSame(code: Assignment, told: Value & { scale: Scale | null }): boolean {
  if (told.amount === code.value.amount && (told.scale === null || told.kind === 'boolean')) return true
  if (told.kind === 'boolean') return false
  const own = scaleOf(wordsOf(code.name).at(-1))
  const dimension = own?.dimension ?? code.unit
  if (dimension === null) return told.scale !== null
  if (told.scale !== null && told.scale.dimension !== dimension) return true
  const possible = (scale: Scale | null, amount: number) => (scale ? [scale] : scales.map(([, each]) => each).filter((each) => each.dimension === dimension)).flatMap((each) => amountsIn(each, amount))
  const coded = new Set(possible(own, code.value.amount))
  return possible(told.scale, told.amount).some((amount) => coded.has(amount))
}

/** An amount in milliseconds or bytes; a megabyte is a million bytes to some. */
function amountsIn({ dimension, factor }: Scale, amount: number): number[] {
  return dimension === 'time' ? [amount * factor] : [amount * factor, amount * 1000 ** Math.round(Math.log(factor) / Math.log(1024))]
}

/** A sentence on what holds now, not on what one may set, what is an example, or what was. */
function isClaim(sentence: string): boolean {
  return claims.test(sentence) && !supposes.test(sentence)
}
const claims = /\b(?:defaults?|is|are|at most|at least|up to|limit(?:ed)?|max(?:imum)?|min(?:imum)?|after|every|within|of|has|have|enabled|disabled|takes?|lasts?)\b|:/i
const supposes = /\b(?:examples?|e\.g|for instance|set|sets|could|would|should|might|can be|recommend\w*|try|increase\w*|raise\w*|lower\w*|reduc\w*|was|were|used to|previously|formerly|deprecated|until|since|not|never|unless|between|or|more than|less than|from \d)\b|n't\b|\?$/i

function toSentences(text: string): string[] {
  return text.split(/(?<=[.!?])\s+(?=\S)|\s*\n\s*|\s\|\s/).map((sentence) => sentence.trim()).filter(Boolean)
}
