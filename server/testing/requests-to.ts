import fc from 'fast-check'
import type { AnyRoute } from '../routes/route.ts'
import { arbitraryOf, nastyJson } from './arbitrary-of.ts'

/** A request to a route: its address with what was asked for, and its body as JSON text. */
export type RequestTo = { path: string; body: string | undefined }

/** Requests to a route from its schemas: mostly valid, close to valid otherwise, and sometimes anything at all. */
export function requestsTo(route: AnyRoute): fc.Arbitrary<RequestTo> {
  const param = fc.oneof(fc.uuid(), fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }), fc.constantFrom('..', '%', '%00', '%zz', 'a'.repeat(400), 'slack:T1:C1:1.2'))
  const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name as string)
  const body = route.body === undefined ? fc.constant(undefined) : fc.oneof({ weight: 6, arbitrary: arbitraryOf(route.body) }, { weight: 1, arbitrary: nastyJson })
  const query = route.query === undefined ? fc.constant({}) : arbitraryOf(route.query)
  return fc.tuple(fc.tuple(...names.map(() => param)), query, body).map(([params, queried, sent]) => {
    const path = names.reduce((path, name, at) => path.replace(`:${name}`, encode(params[at] as string)), route.path)
    return { path: `${path}?${toSearch(queried)}`, body: sent === undefined ? undefined : JSON.stringify(sent) }
  })
}

function encode(text: string): string {
  return text.startsWith('%') ? text : encodeURIComponent(text.toWellFormed())
}

/** As a form would send it; of what has no text of its own, the JSON. */
function toSearch(query: unknown): string {
  if (typeof query !== 'object' || query === null) return ''
  return new URLSearchParams(Object.entries(query).map(([key, value]): [string, string] => [key, toText(value)])).toString()
}

function toText(value: unknown): string {
  return (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).toWellFormed()
}
