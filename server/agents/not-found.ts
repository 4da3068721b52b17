import type { Passage } from '../retrieval/passage.ts'
import { toAge } from '../age.ts'
import { span } from '../models/extractive/prose.ts'
import type { Evidence } from './evidence.ts'

/** A repository that was looked in. */
export type Searched = { name: string; indexedAt: Date | null }

/** The honest answer when the sources do not hold one: where was looked, what came closest, what to try. */
export function writeNotFound(evidence: Evidence, searched: Searched[], now: Date): string {
  if (searched.length === 0) {
    return 'There is nothing indexed that I may answer from here. Connect a repository, or ask where its sources are allowed.'
  }
  const first = `I could not find this in ${series(searched.slice(0, 4).map(({ name }) => span(name)))}${searched.length > 4 ? ` and ${searched.length - 4} more` : ''}${checked(searched, now)}.`
  const closest = distinctFiles(evidence.passages).slice(0, 3)
  const near = closest.length > 0 ? ` Closest: ${series(closest.map((passage) => `${span(passage.path)}${about(passage)} [${passage.n}]`))}.` : ''
  return `${first}${near} ${advice(evidence, closest)}`
}

function checked(searched: Searched[], now: Date): string {
  const times = searched.flatMap(({ indexedAt }) => (indexedAt ? [indexedAt.getTime()] : []))
  return times.length === 0 ? '' : ` (indexed ${toAge(now.getTime() - Math.min(...times))})`
}

function about(passage: Passage): string {
  const last = passage.scope.at(-1)?.trim()
  if (!last) return ''
  if (passage.contentType === 'code') return ` (${span(last)})`
  const words = last.replace(/[`*_[\]<>#|"]/g, '').trim()
  return words ? ` ("${words.slice(0, 60)}")` : ''
}

/** A next step that can work: a question on a definition near by, else a name as the sources spell it. */
function advice(evidence: Evidence, closest: Passage[]): string {
  const symbol = evidence.symbols.find(({ kind, doc, path }) => doc !== null && kind !== 'heading' && closest.some((passage) => passage.path === path))
  const name = 'name a function, file or setting the way the code spells it'
  return symbol ? `Try: ${name}, or ask "What does ${span(symbol.name)} do?"` : `Try: ${name}.`
}

function distinctFiles(passages: Passage[]): Passage[] {
  return passages.filter((passage, at) => passages.findIndex((other) => other.path === passage.path && other.repositoryId === passage.repositoryId) === at)
}

function series(parts: string[]): string {
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}
