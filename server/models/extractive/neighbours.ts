import type { Passage } from '../../retrieval/passage.ts'
import { tokens } from '../../tokens.ts'
import { callsOf, testsOf, usesOf, whole } from './edges.ts'
import { isDocument, paragraphs } from './paragraphs.ts'
import { quote, sentences, span } from './prose.ts'
import type { Definition, Reading } from './reading.ts'
import { rankDefinitions } from './subject.ts'
import { cite, nameOf, saysOf, sectionAt, series, tellOf, testAt, useAt } from './wording.ts'

/** What the graph and the other passages say of a definition, a bullet each, most useful first. */
export function neighboursOf(reading: Reading, definition: Definition): string[] {
  const uses = usesOf(reading, definition)
  const tests = testsOf(reading, definition.name, uses)
  return [
    ...usedBullet(uses.filter((use) => use.role !== 'test')),
    ...callsBullet(reading, definition),
    ...documentedBullet(reading, definition),
    ...testedBullet(tests),
    ...relatedBullets(reading, definition),
  ]
}

function usedBullet(uses: ReturnType<typeof usesOf>): string[] {
  if (uses.length === 0) return []
  const calls = uses.filter((use) => use.kind !== 'import' && use.role === 'source')
  const shown = distinct(calls.length > 0 ? calls : uses.filter((use) => use.role === 'source'), (use) => `${use.path} ${use.symbol}`).slice(0, 3)
  if (shown.length === 0) return []
  const verb = shown.every((use) => use.kind === 'call') ? 'Called by' : shown.every((use) => use.kind === 'import') ? 'Imported by' : 'Used by'
  return [`${verb} ${series(shown.map(useAt))}`]
}

function callsBullet(reading: Reading, definition: Definition): string[] {
  const calls = callsOf(reading, definition)
  if (calls.length === 0) return []
  const shown = calls
    .map((call) => ({ call, worth: reading.coverage(`${call.target.name} ${call.target.doc ?? ''}`) }))
    .sort((a, b) => b.worth - a.worth)
    .slice(0, 3)
    .map(({ call }) => call)
    .sort((a, b) => a.line - b.line)
  return [`It calls ${series(shown.map(({ target, line, passage }) => `${nameOf(target)} (line ${line}) ${cite(passage)}`))}`]
}

function documentedBullet(reading: Reading, definition: Definition): string[] {
  const name = whole(definition.name)
  const distinctive = /\p{Ll}\p{Lu}|_|\d/u.test(definition.name) || definition.name.length > 9
  for (const passage of reading.passages) {
    if (!isDocument(passage) || /(?:^|\/)(?:change|history|release|news)/i.test(passage.path)) continue
    const told = paragraphs(passage)
      .flatMap((paragraph) => sentences(paragraph.text))
      .find((sentence) => name.test(sentence) && (distinctive || sentence.includes(`\`${definition.name}`)))
    if (told) return [`Documented in ${sectionAt(passage)}: ${quote(told, 160)} ${cite(passage)}`]
  }
  return []
}

function testedBullet(tests: ReturnType<typeof testsOf>): string[] {
  return tests.length === 0 ? [] : [`Tested in ${series(tests.slice(0, 2).map(testAt))}`]
}

/** Other definitions that answer the question nearly as well: a question often has more than one place. */
function relatedBullets(reading: Reading, definition: Definition): string[] {
  const ranked = rankDefinitions(reading)
  const best = ranked[0]?.score ?? 0
  const near = ranked.filter(
    (other) =>
      other.definition !== definition &&
      other.score > 0.72 * best &&
      other.definition.role !== 'test' &&
      other.definition.name !== definition.name &&
      other.definition.container !== definition.name &&
      saysOf(reading, other.definition) !== null &&
      reading.coverage(`${other.definition.name} ${other.definition.doc ?? ''}`) >= 0.45,
  )
  return distinct(near, ({ definition: { name } }) => name).slice(0, 2).map((other) => `See also ${tellOf(reading, other.definition)}`)
}

/** A line of configuration that answers a question; `isKey` when its key is a word of the question, such as the script `test`. */
export type Setting = { text: string; worth: number; isKey: boolean }

/** Lines of configuration that say most about the question, each as a code span with its place. */
export function settingsOf(reading: Reading, wanted: (passage: Passage) => boolean): Setting[] {
  const found = reading.passages.filter(wanted).flatMap((passage) => {
    const isScript = /(?:^|\/)(?:package\.json|Makefile|tox\.ini|justfile)$/.test(passage.path)
    return passage.content.split('\n').flatMap((line, at): (Setting & { isScript: boolean })[] => {
      const worth = reading.coverage(line)
      const bare = line.trim().replace(/,$/, '')
      if (worth < 0.6 || bare.length < 4 || bare.length > 130) return []
      const key = /^"?([\w.:-]+)"?\s*[:=]/.exec(bare)?.[1]
      const isKey = isScript && key !== undefined && tokens(key).length > 0 && tokens(key).every((token) => reading.terms.includes(token))
      return [{ text: `${span(passage.path)} (line ${passage.startLine + at}): ${span(bare)} ${cite(passage)}`, worth, isKey, isScript }]
    })
  })
  const order = (setting: Setting & { isScript: boolean }) => (setting.isKey ? 2 : 0) + (setting.isScript ? 1 : 0) + setting.worth
  return found.sort((a, b) => order(b) - order(a))
}

export function distinct<T>(values: T[], key: (value: T) => string): T[] {
  return [...new Map(values.map((value) => [key(value), value] as const).reverse()).values()].reverse()
}
