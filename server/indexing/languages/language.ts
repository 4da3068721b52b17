/**
 * What Nura knows of a programming language, as data. One with a grammar is cut along its syntax; one with a query
 * gives symbols and edges too.
 */
export type Language = {
  /** Stored with every file, such as `typescript`. */
  id: string
  extensions: string[]
  /** Whole file names, lower case, for files without a telling extension. */
  names?: string[]
  /** `tree-sitter-<grammar>.wasm`. */
  grammar?: string
  /**
   * Tree-sitter query. A definition is captured under its kind (`@function`, `@method`, `@class`, `@interface`, `@type`,
   * `@constant`, `@enum`, `@module`) with its `@name` and, where the name's scope is written elsewhere, its `@container`;
   * `@scope` is a container that is no symbol itself. Edges: `@call`, `@reference`, `@import` (a whole statement or a string).
   */
  query?: string
  /**
   * What the text of an `@import` names: stems of repository paths where they can be told, else the specifier. Usual source
   * folders (`src/`, `lib/`, …) may be left out: whoever resolves the edge tries them.
   */
  imports?(statement: string, path: string): string[]
  /** How doc comments are written: marks of line comments above a declaration, and whether a docstring follows it. */
  docs?: { line?: RegExp; block?: boolean; docstring?: boolean }
  documentation?: boolean
}

/** `a/b/../c` → `a/c`; what climbs out of the repository keeps its `..`. */
export function joinPath(folder: string, relative: string): string {
  const parts = folder === '' ? [] : folder.split('/')
  for (const part of relative.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else parts.push(part)
  }
  return parts.join('/')
}

export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

/** Path without extension, and without a last `/index` or `/__init__` (Rust: `/mod`): what an import of this file names. */
export function stemOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const extension = /(?<=.)(\.d)?\.[^.]+$/.exec(name)?.[0] ?? ''
  const bare = path.slice(0, path.length - extension.length)
  const folderFile = extension === '.rs' ? /(?<=.)\/mod$/ : /(?<=.)\/(index|__init__)$/
  return bare.replace(folderFile, '')
}
