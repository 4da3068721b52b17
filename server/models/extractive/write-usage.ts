import { knownUses, testsOf, usesOf } from './edges.ts'
import type { Use } from './edges.ts'
import { distinct, neighboursOf } from './neighbours.ts'
import { span } from './prose.ts'
import type { Definition, Reading } from './reading.ts'
import { toSnippet } from './snippet.ts'
import { rankDefinitions } from './subject.ts'
import { cite, kindOf, nameOf, series, tellOf, testAt, useAt } from './wording.ts'
import type { Draft } from './wording.ts'
import { snippetOf } from './write-definition.ts'

/** Uses, and a line each for what else has the name, for documents and for tests. */
const mostListed = 8

/** From so many edges to a name on some may have been left out before they came here. */
const boundedFrom = 30

/** «Who calls …»: every place that the passages show, with the line itself. */
export function writeUsage(reading: Reading, definition: Definition): Draft {
  const uses = usesOf(reading, definition)
  const own = uses.filter((use) => use.role !== 'test')
  const program = own.filter((use) => use.role === 'source' || use.role === 'config')
  const calls = program.filter((use) => use.kind !== 'import')
  const shown = calls.length > 0 ? calls : program
  const elsewhere = own.filter((use) => !shown.includes(use) && use.role !== 'source' && use.role !== 'config' && use.kind !== 'import')
  const tests = testsOf(reading, definition.name, uses)
  const name = `${kindOf(definition)} ${nameOf(definition)}`
  const place = `(${span(definition.path)}, line ${definition.startLine} ${cite(definition.passage)})`
  if (shown.length === 0) {
    const besides = [elsewhere.length > 0 ? 'documents' : '', tests.length > 0 ? 'tests' : ''].filter(Boolean)
    const none = `Outside ${besides.length > 0 ? besides.join(' and ') : 'its own definition'}, the passages that I was given show no use of the ${name} ${place}.`
    const named = [...distinct(elsewhere, (use) => use.path).slice(0, 2).map((use) => `Named in ${useAt(use)}`), ...tests.slice(0, 3).map((test) => `Named in the test ${testAt(test)}`)]
    return { lead: [none], list: named, snippets: [snippetOf(reading, definition)] }
  }
  const known = knownUses(reading, definition)
  const verb = shown.every((use) => use.kind === 'call') ? 'called' : shown.every((use) => use.kind === 'import') ? 'imported' : 'used'
  const twins = reading.definitions.filter((each) => each.name === definition.name && each.path !== definition.path)
  const listed = distinct(shown, (use) => `${use.path} ${use.line}`).slice(0, mostListed - [tests, elsewhere, twins].filter(({ length }) => length > 0).length)
  const least = reading.relations.filter(({ to }) => to.symbol === definition.name).length >= boundedFrom ? 'at least ' : ''
  const count = known.length > listed.length ? `${least}${placesOf(known)}, ${listed.length} of which I list` : `${placesOf(listed)} that I can see`
  const lead = `The ${name} ${place} is ${verb} in ${count} ${cite(...listed.map((use) => use.passage))}.`
  const list = listed.map((use) => bullet(reading, use))
  if (twins.length > 0) list.push(`Others of that name, which are not counted: ${series(twins.slice(0, 3).map((each) => `${span(each.path)} (line ${each.startLine}) ${cite(each.passage)}`))}`)
  if (elsewhere.length > 0) list.push(`In documents and examples: ${series(distinct(elsewhere, (use) => use.path).slice(0, 3).map(useAt))}`)
  if (tests.length > 0) list.push(`In tests: ${series(tests.slice(0, 2).map(testAt))}`)
  return { lead: [lead], list, bullets: mostListed, snippets: [around(reading, shown[0]!)] }
}

function placesOf(uses: { path: string }[]): string {
  const paths = [...new Set(uses.map(({ path }) => path))]
  if (uses.length === 1) return 'one place'
  return `${uses.length} places of ${paths.length > 1 ? `${paths.length} files` : span(paths[0]!)}`
}

function bullet(reading: Reading, use: Use): string {
  const line = reading.lineAt(use.passage, use.line).trim()
  return line.length > 3 && line.length <= 100 ? `${useAt(use)}: ${span(line)}` : useAt(use)
}

function around(reading: Reading, use: Use): string {
  const from = Math.max(use.passage.startLine, use.line - 4)
  const lines = use.passage.content.split('\n')
  const blank = [0, 1, 2, 3, 4].map((back) => use.line - back).find((line) => line >= from && lines[line - 1 - use.passage.startLine]?.trim() === '')
  return reading.wantsCode ? toSnippet(use.passage, { from: blank ?? from, to: Math.min(use.passage.endLine, use.line + 4) }) : ''
}

/** «Which tests cover …» without a name: the tests whose titles and lines hold most of what was asked. */
export function writeTestList(reading: Reading): Draft | undefined {
  const tests = rankDefinitions(reading).filter(({ definition }) => definition.role === 'test').slice(0, 5).map(({ definition }) => definition)
  const [first] = tests
  if (!first) return undefined
  const at = (test: Definition) => `${nameOf(test)} in ${span(test.path)} (line ${test.startLine}) ${cite(test.passage)}`
  return { lead: [`The closest test is ${at(first)}.`], list: tests.slice(1).map(at), snippets: [snippetOf(reading, first)] }
}

/** «Which tests cover …»: titles and places of the tests that name it. */
export function writeTests(reading: Reading, definition: Definition): Draft {
  const tests = testsOf(reading, definition.name, usesOf(reading, definition))
  if (tests.length === 0) {
    const lead = `I found no test that names ${nameOf(definition)} in the passages I was given; it is the ${kindOf(definition)} ${tellOf(reading, definition)}.`
    return { lead: [lead], list: neighboursOf(reading, definition).filter((each) => !each.startsWith('See also')), snippets: [] }
  }
  const [first, ...more] = tests
  const lead = `${nameOf(definition)} (${span(definition.path)}, line ${definition.startLine} ${cite(definition.passage)}) is tested in ${testAt(first!)}.`
  const from = first!.line
  return { lead: [lead], list: more.slice(0, 5).map(testAt), snippets: [toSnippet(first!.passage, { from, to: Math.min(first!.passage.endLine, from + 9) })] }
}
