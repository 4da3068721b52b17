import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { parseSync } from 'vite'
import type { ESTree } from 'vite'

/** One import or re-export. `to`: the repository's own file it names, or undefined for a package. */
export type Import = { specifier: string; typeOnly: boolean; to: string | undefined }
export type SourceFile = { path: string; text: string; program: ESTree.Program; imports: Import[] }

const folders = ['bot', 'server', 'jobs', 'db', 'infra', 'eval', 'bench']

/** Every TypeScript file of Nura, parsed, with paths relative to `root` and `/` between their parts. */
export function readSources(root: string): SourceFile[] {
  const paths = folders.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root, exclude: (name) => name === 'fixtures' }))
  return paths.sort().map((path) => readSource(root, path.replaceAll('\\', '/')))
}

function readSource(root: string, path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8')
  const { program, module, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]?.message}`)
  const toImport = (specifier: string, typeOnly: boolean): Import => ({ specifier, typeOnly, to: resolve(root, path, specifier) })
  const imports = [
    ...module.staticImports.map((made) =>
      toImport(made.moduleRequest.value, made.entries.length > 0 && made.entries.every((entry) => entry.isType)),
    ),
    ...module.staticExports.flatMap((made) =>
      made.entries.flatMap((entry) => (entry.moduleRequest ? [toImport(entry.moduleRequest.value, entry.isType)] : [])),
    ),
    ...module.dynamicImports.flatMap((made) => {
      const literal = /^['"](.+)['"]$/.exec(text.slice(made.moduleRequest.start, made.moduleRequest.end))
      return literal?.[1] ? [toImport(literal[1], false)] : []
    }),
  ]
  return { path, text, program, imports }
}

function resolve(root: string, from: string, specifier: string): string | undefined {
  if (specifier.startsWith('#')) return specifier.slice(1)
  if (!specifier.startsWith('.')) return undefined
  const to = normalize(join(dirname(from), specifier)).replaceAll('\\', '/')
  return existsSync(join(root, to)) ? to : undefined
}

/** The files that `from` loads, itself included, through imports of any depth; type imports load nothing. */
export function reachable(sources: ReadonlyMap<string, SourceFile>, from: string): Set<string> {
  const seen = new Set<string>()
  const queue = [from]
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (seen.has(path)) continue
    seen.add(path)
    for (const { to, typeOnly } of sources.get(path)?.imports ?? []) if (to && !typeOnly) queue.push(to)
  }
  return seen
}
