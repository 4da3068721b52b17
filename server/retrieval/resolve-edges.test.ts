import { expect, test } from 'vitest'
import type { EdgeRow } from '#db/tenant/graph.ts'
import type { FileRow, SymbolRow } from '#db/tenant/lookup.ts'
import { resolveEdges } from './resolve-edges.ts'

const repositoryId = 'r'
const edge = (path: string, target: string, kind: EdgeRow['kind'] = 'call', line = 3): EdgeRow => ({ kind, fromSymbol: kind === 'import' ? null : 'run', target, line, fileId: path, repositoryId, path })
const symbol = (path: string, name: string): SymbolRow => ({ id: `${path} ${name}`, name, container: null, kind: 'function', signature: '', doc: null, startLine: 1, endLine: 2, fileId: path, repositoryId, path })
const file = (path: string): FileRow => ({ fileId: path, path, stem: path.replace(/\.\w+$/, ''), repositoryId, language: null })
const targets = (edges: EdgeRow[], symbols: SymbolRow[], imports: EdgeRow[] = []) =>
  resolveEdges(edges, symbols, symbols.map(({ path }) => file(path)), imports).filter(({ kind }) => kind === 'call').map(({ to }) => to.path)

const parsers = ['src/json.ts', 'src/yaml.ts', 'src/toml.ts'].map((path) => symbol(path, 'parse'))

test('a name that many have is the one that the file imports', () => {
  expect(targets([edge('src/read.ts', 'parse'), edge('src/read.ts', 'src/yaml', 'import', 1)], parsers)).toEqual(['src/yaml.ts'])
})

test('what else is known to be imported tells it too, and is not told of', () => {
  const resolved = resolveEdges([edge('src/read.ts', 'parse')], parsers, parsers.map(({ path }) => file(path)), [edge('src/read.ts', 'src/toml', 'import', 1)])
  expect(resolved.map(({ kind, to }) => `${kind} ${to.path}`)).toEqual(['call src/toml.ts'])
})

test('a definition of its own file goes before what it imports', () => {
  expect(targets([edge('src/json.ts', 'parse'), edge('src/json.ts', 'src/yaml', 'import', 1)], parsers)).toEqual(['src/json.ts'])
})

test('where nothing tells which of many is meant, nothing is claimed', () => {
  expect(targets([edge('src/read.ts', 'parse')], parsers)).toEqual([])
  const both = ['src/yaml', 'src/toml'].map((target) => edge('src/read.ts', target, 'import', 1))
  expect(targets([edge('src/read.ts', 'parse'), ...both], parsers)).toEqual([])
})

test('in Go it is the one of the folder; elsewhere a folder tells nothing', () => {
  const inFolders = (extension: string) => ['json', 'yaml', 'toml'].map((folder) => symbol(`${folder}/parse.${extension}`, 'parse'))
  expect(targets([edge('yaml/read.go', 'parse')], inFolders('go'))).toEqual(['yaml/parse.go'])
  expect(targets([edge('yaml/read.ts', 'parse')], inFolders('ts'))).toEqual([])
})

test('a repository knows nothing of the names of another', () => {
  expect(targets([{ ...edge('src/read.ts', 'parse'), repositoryId: 'other' }], parsers.slice(0, 1))).toEqual([])
})
