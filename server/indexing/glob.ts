/** A glob, taken apart: what each segment between slashes must look like. */
export type Glob = { segments: readonly string[]; coversBelow: boolean }

/**
 * Takes a glob apart. `*` stands for any characters of one segment, `?` for one, a segment `**` for any number of segments;
 * every other character stands for itself, brackets too, for they are in names of files. A glob whose last segment has no
 * wildcard, or that ends with a slash, covers everything below what it names.
 */
export function toGlob(pattern: string): Glob {
  const isFolder = pattern.endsWith('/')
  const segments = pattern.replace(/^(?:\.?\/)+|\/+$/g, '').split(/\/+/)
  const folded = segments.filter((segment, at) => segment !== '**' || segments[at - 1] !== '**').map((segment) => (segment === '**' ? segment : segment.replace(/\*+/g, '*')))
  return { segments: folded, coversBelow: isFolder || !/[*?]/.test(folded.at(-1)!) }
}

/** Whether a glob names a path, or a folder above it that it covers. Takes time in the product of both lengths, whatever they are. */
export function matchesGlob({ segments, coversBelow }: Glob, path: string): boolean {
  const names = path.split('/')
  return greedily(segments, names, (segment) => segment === '**', matchesSegment, coversBelow)
}

function matchesSegment(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === name
  return greedily(Array.from(pattern), Array.from(name), (part) => part === '*', (part, character) => part === '?' || part === character, false)
}

/**
 * Matches a list against a pattern in which some parts stand for any run. It is enough to go back to the last such part:
 * whatever an earlier one took, a later one can take the rest.
 */
function greedily<T>(pattern: readonly T[], given: readonly T[], isRun: (part: T) => boolean, fits: (part: T, item: T) => boolean, isPrefix: boolean): boolean {
  let [at, item] = [0, 0]
  let run: { at: number; item: number } | null = null
  while (item < given.length || at < pattern.length) {
    if (at === pattern.length && isPrefix) return true
    if (at < pattern.length && isRun(pattern[at]!)) {
      run = { at: ++at, item }
    } else if (at < pattern.length && item < given.length && fits(pattern[at]!, given[item]!)) {
      at++
      item++
    } else {
      if (!run || run.item >= given.length) return false
      at = run.at
      item = ++run.item
    }
  }
  return true
}
