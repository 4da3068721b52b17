import type { Agent } from '../../agents/agent.ts'
import type { Evidence, EvidenceSymbol, Relation } from '../../agents/evidence.ts'
import { fileRole } from '../../retrieval/file-role.ts'
import type { FileRole } from '../../retrieval/file-role.ts'
import type { Passage } from '../../retrieval/passage.ts'
import { toQuery } from '../../retrieval/query.ts'
import type { Query } from '../../retrieval/query.ts'
import { tokens } from '../../tokens.ts'
import { asksFor, asksForCode, shapeOf } from './shape.ts'
import type { Shape } from './shape.ts'

/** A definition and the passage that shows where it begins. */
export type Definition = EvidenceSymbol & { passage: Passage; role: FileRole }

type Place = { repositoryId: string; path: string }

/** The evidence, prepared for reading: what is asked, how much each word tells, and which passage shows which line. */
export type Reading = {
  question: string
  shape: Shape
  query: Query
  lens: Agent['lens']
  wantsCode: boolean
  /** The question names nothing of its own: it is about the whole. */
  isGeneral: boolean
  /** What the question is about, without the words that only give it its shape. */
  terms: string[]
  passages: Passage[]
  definitions: Definition[]
  relations: Relation[]
  /** The shortest passage that holds the line. */
  passageAt(place: Place, line: number): Passage | undefined
  /** The line as the passage has it. */
  lineAt(place: Place, line: number): string
  /** Share of the question's terms, by how much they tell, that a text holds: 0 to 1. */
  coverage(text: string): number
  /** Place of a passage in the ranking as a figure between 0 and 1. */
  standing(passage: Passage): number
}

/** Words that give a question its shape and say nothing about its subject. */
const shaping: Partial<Record<Shape, string>> = {
  usage: 'call calls called caller callers use uses used using usage usages invoke invokes invoked import imports imported reference references depend depends code find anything still place places function functions class classes file files module modules method methods',
  tests: 'test tests tested testing spec specs covered cover covers coverage exercise exercises check unit there case cases file files',
  where: 'before after file files function functions class method module part place code line find',
  flow: 'flow flows happen happens work works lifecycle pipeline step end journey sequence code',
  why: 'reason rationale motivation purpose point come',
  howto: 'way ways example examples run runs running use uses using set',
  modules: 'main each other another overall architecture structure structured module modules component components boundary boundaries layer layers dependency dependencies depend depends coupling coupled organised organized package packages folder folders overview picture system project code base codebase repository design designed',
  what: 'mean means purpose kind tell explain describe say says return returns difference',
}

export function toReading(evidence: Evidence, lens: Agent['lens']): Reading {
  const { question, passages, relations } = evidence
  const query = toQuery(question)
  const shape = asksForRepository(question, passages) ? 'overview' : shapeOf(question, lens.first)
  const dropped = new Set(tokens(shaping[shape] ?? ''))
  const all = [...new Set(query.tokens)]
  const kept = all.filter((term) => !dropped.has(term))
  const terms = kept.length > 0 ? kept : all
  const isGeneral = kept.length === 0
  const tell = new Map(terms.map((term) => [term, evidence.weights?.[term] ?? 1]))
  const sum = terms.reduce((total, term) => total + tell.get(term)!, 0) || 1

  const passageAt = (place: Place, line: number) =>
    passages
      .filter((passage) => sameFile(passage, place) && passage.startLine <= line && line <= passage.endLine)
      .sort((a, b) => a.endLine - a.startLine - (b.endLine - b.startLine))[0]

  const definitions = evidence.symbols.flatMap((symbol): Definition[] => {
    const passage = passageAt(symbol, symbol.startLine)
    return passage ? [{ ...symbol, passage, role: fileRole(symbol.path) }] : []
  })

  return {
    question,
    shape,
    query,
    lens,
    wantsCode: asksForCode(question),
    isGeneral,
    terms,
    passages,
    definitions,
    relations,
    passageAt,
    lineAt(place, line) {
      const passage = passageAt(place, line)
      return passage?.content.split('\n')[line - passage.startLine] ?? ''
    },
    coverage(text) {
      const held = new Set(tokens(text))
      return terms.reduce((total, term) => total + (held.has(term) ? tell.get(term)! : 0), 0) / sum
    },
    standing: (passage) => 1 / (1 + 0.25 * passages.indexOf(passage)),
  }
}

/** «What is flask?», asked of the repository of that name. */
function asksForRepository(question: string, passages: Passage[]): boolean {
  return passages.some(({ repository }) => asksFor(question, repository))
}

export function sameFile(a: Place, b: Place): boolean {
  return a.repositoryId === b.repositoryId && a.path === b.path
}
