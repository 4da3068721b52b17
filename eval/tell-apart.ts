import { sep } from 'node:path'

/** What paths are called where they stand together: each by as many of its last names as it takes to be no other's. */
export function tellApart(paths: string[]): string[] {
  const names = paths.map((path) => path.split(sep).filter(Boolean))
  const last = (at: number, count: number) => names[at]!.slice(-count).join('/')
  return names.map((parts, at) => {
    const isAlone = (count: number) => names.every((_, other) => other === at || last(other, count) !== last(at, count))
    const enough = parts.findIndex((_, more) => isAlone(more + 1))
    return last(at, enough < 0 ? parts.length : enough + 1)
  })
}
