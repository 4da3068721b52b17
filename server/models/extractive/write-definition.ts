import { callsOf } from './edges.ts'
import { neighboursOf } from './neighbours.ts'
import { plain, quote } from './prose.ts'
import type { Definition, Reading } from './reading.ts'
import { restate } from './restate.ts'
import { joined, showDefinition, toSnippet } from './snippet.ts'
import { isNamed } from './subject.ts'
import { cite, declarationOf, kindOf, nameOf, saysOf, series, tellOf, withArticle } from './wording.ts'
import type { Draft } from './wording.ts'

/** «Where is …»: the place first. `firm` says that name and comment together hold what was asked. */
export function writePlace(reading: Reading, definition: Definition, firm: boolean): Draft {
  const named = isNamed(reading, definition)
  const restated = firm && !named && isNamedFor(reading, definition) ? restate(reading.question) : null
  const kind = kindOf(definition)
  const lead = named
    ? `${nameOf(definition)} is ${withArticle(kind)} in ${placeOf(reading, definition)}`
    : restated
      ? `${restated} ${kind === 'function' || kind === 'method' ? 'by' : 'in'} ${tellOf(reading, definition)}`
      : firm
        ? reading.shape === 'howto' ? `The code for it is the ${kind} ${tellOf(reading, definition)}` : `That is the ${kind} ${tellOf(reading, definition)}`
        : `The closest match is the ${kind} ${tellOf(reading, definition)}`
  return { lead: [`${lead}.`], list: neighboursOf(reading, definition), snippets: [snippetOf(reading, definition)] }
}

/** «What does … do»: what its own comment says, else what its declaration and its calls show. */
export function writeMeaning(reading: Reading, definition: Definition, firm: boolean): Draft {
  const named = isNamed(reading, definition)
  const says = saysOf(reading, definition, 2)
  const subject = `${nameOf(definition)} is ${withArticle(kindOf(definition))} in ${placeOf(reading, definition, 2)}.`
  const lead = [named || firm ? subject : `The closest match is the ${kindOf(definition)} ${tellOf(reading, definition, 2)}.`]
  if (/\breturn/i.test(reading.question)) lead.push(...tagSentence(definition, /^(?:@returns?|:returns?:|returns:)\s*(.*)$/i, 'On what it returns, the comment says'))
  if (/\b(?:arguments?|param\w*|accepts?|takes?|options?|signature)\b/i.test(reading.question) && says) {
    const declared = declarationOf(definition, 200)
    if (declared) lead.push(`It is declared as ${declared} ${cite(definition.passage)}.`)
  }
  if (!says) {
    const calls = callsOf(reading, definition).slice(0, 4)
    if (calls.length > 0) lead.push(`It has no comment of its own; it calls ${series(calls.map(({ target, line }) => `${nameOf(target)} (line ${line})`))} ${cite(...calls.map(({ passage }) => passage))}.`)
  }
  const list = neighboursOf(reading, definition).filter((bullet) => says !== null || !bullet.startsWith('It calls'))
  return { lead, list: [...membersBullet(reading, definition), ...list], snippets: [snippetOf(reading, definition)] }
}

/** Its own name, declaration and place speak of what was asked: a comment alone does not make it the one that does it. */
function isNamedFor(reading: Reading, { name, container, signature, path }: Definition): boolean {
  return reading.coverage(`${name} ${container ?? ''} ${signature} ${path}`) >= 0.3
}

/** «`path` (line n): "…" [k]» */
function placeOf(reading: Reading, definition: Definition, most = 1): string {
  const told = tellOf(reading, definition, most)
  return told.slice(told.indexOf(' in ') + 4)
}

/** What a tag of the doc comment says, such as `@returns`. */
function tagSentence(definition: Definition, tag: RegExp, intro: string): string[] {
  const line = definition.doc?.split('\n').map((each) => tag.exec(each.trim())?.[1]?.replace(/^\{[^}]*\}\s*/, '')).find((each) => each)
  return line ? [`${intro}: ${quote(plain(line))} ${cite(definition.passage)}.`] : []
}

/** The members of a class that its passages show. */
function membersBullet(reading: Reading, definition: Definition): string[] {
  if (!['class', 'interface', 'struct', 'trait', 'type'].includes(definition.kind)) return []
  const members = reading.definitions.filter((each) => each.container === definition.name && each.path === definition.path && each.repositoryId === definition.repositoryId && !/^(?:_|constructor$)/.test(each.name))
  if (members.length < 2) return []
  const told = members.map((member) => ({ member, worth: reading.coverage(`${member.name} ${member.doc ?? ''}`) + (member.doc ? 0.1 : 0) })).sort((a, b) => b.worth - a.worth).slice(0, 5).map(({ member }) => member)
  told.sort((a, b) => a.startLine - b.startLine)
  return [`Among its members: ${series(told.map((member) => `${nameOf({ ...member, container: null })} (line ${member.startLine})`))} ${cite(...told.map(({ passage }) => passage))}`]
}

export function snippetOf(reading: Reading, definition: Definition): string {
  const { passage, startLine, endLine } = definition
  const next = endLine > passage.endLine ? reading.passageAt(definition, passage.endLine + 1) : undefined
  const passages = next?.startLine === passage.endLine + 1 ? [passage, next] : [passage]
  return toSnippet(passages, ...showDefinition(reading, joined(passages), startLine, endLine))
}
