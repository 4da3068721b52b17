import type { FileFacts } from './facts.ts'

export type DependencyChanges = {
  added: { name: string; version: string }[]
  removed: { name: string; version: string }[]
  changed: { name: string; from: string; to: string }[]
}

const version = String.raw`[~^<>=!*v ]*(?:\d[\w.+*-]*|\*|latest)[^"'\s]*`

/** How manifests write a dependency on one line. A version is what tells it from any other setting. */
const shapes: [file: RegExp, line: RegExp][] = [
  [/(^|\/)(?:package|composer)\.json$/i, new RegExp(String.raw`^\s*"(?<name>(?!(?:version|node|npm|name)")@?[\w./-]+)":\s*"(?<version>${version}|(?:workspace|npm|git|file|github|https?)[:+][^"]{1,120})"`)],
  [/(^|\/)go\.mod$/, /^\s*(?:require\s+)?(?<name>[\w.-]+\.[a-z]+\/[\w./-]+)\s+(?<version>v\d[\w.+-]*)/],
  [/(^|\/)Cargo\.toml$/, new RegExp(String.raw`^(?<name>(?!version\b|edition\b|rust-version\b)[\w-]+)\s*=\s*(?:\{.*?version\s*=\s*)?"(?<version>${version})"`)],
  [/(^|\/)requirements[^/]*\.txt$/i, /^(?<name>[A-Za-z][\w.-]*)(?:\[[^\]]*\])?\s*(?<version>(?:[=~<>!]=?|===)\s*[\w.*,<>=! -]+)/],
  [/(^|\/)pyproject\.toml$/i, /^\s*["'](?<name>[A-Za-z][\w.-]*)(?:\[[^\]]*\])?\s*(?<version>[=~<>!]=?[^"';]{1,60})["';]/],
  [/(^|\/)Gemfile$/, /^\s*gem\s+["'](?<name>[\w-]+)["']\s*,\s*["'](?<version>[^"']{1,60})["']/],
]

/** What a change of a manifest adds, takes away and moves to another version, as far as its lines tell. */
export function dependencyChanges({ path, hunks }: Pick<FileFacts, 'path' | 'hunks'>): DependencyChanges {
  const shape = shapes.find(([file]) => file.test(path))?.[1]
  const sides = { '+': new Map<string, string>(), '-': new Map<string, string>() }
  for (const { kind, text } of hunks.flatMap((hunk) => hunk.lines)) {
    const found = kind === ' ' || text.length > 500 ? undefined : shape?.exec(text)?.groups
    if (found && kind !== ' ') sides[kind].set(found.name!, found.version!.trim())
  }
  const { '+': after, '-': before } = sides
  return {
    added: [...after].filter(([name]) => !before.has(name)).map(([name, to]) => ({ name, version: to })),
    removed: [...before].filter(([name]) => !after.has(name)).map(([name, from]) => ({ name, version: from })),
    changed: [...after].flatMap(([name, to]) => (before.has(name) && before.get(name) !== to ? [{ name, from: before.get(name)!, to }] : [])),
  }
}
