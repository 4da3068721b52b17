import { folderOf, joinPath, stemOf } from './language.ts'
import type { Language } from './language.ts'

const query = `
  (function_item name: (identifier) @name) @function
  (function_signature_item name: (identifier) @name) @function
  (struct_item name: (type_identifier) @name) @class
  (union_item name: (type_identifier) @name) @class
  (enum_item name: (type_identifier) @name) @enum
  (trait_item name: (type_identifier) @name) @interface
  (type_item name: (type_identifier) @name) @type
  (const_item name: (identifier) @name) @constant
  (static_item name: (identifier) @name) @constant
  (mod_item name: (identifier) @name body: (_)) @module
  (macro_definition name: (identifier) @name) @function
  (impl_item type: (_) @name) @scope

  (call_expression function: (identifier) @call)
  (call_expression function: (field_expression field: (field_identifier) @call))
  (call_expression function: (scoped_identifier name: (identifier) @call))
  (macro_invocation macro: (identifier) @call)
  (struct_expression name: (type_identifier) @call)
  (arguments (identifier) @reference)
  (type_identifier) @reference

  (use_declaration) @import
  (mod_item !body) @import
`

/** `use crate::a::b::C` in `x/src/lib.rs` → `x/src/a/b`; `mod a;` → `x/src/a`; another crate by its name. */
function imports(statement: string, path: string): string[] {
  const module = /\bmod\s+(\w+)\s*;/.exec(statement)?.[1]
  const home = /(^|\/)(mod|lib|main)\.rs$/.test(path) ? folderOf(path) : stemOf(path)
  if (module) return [joinPath(home, module)]
  const parts = (/\buse\s+([\w:]+)/.exec(statement)?.[1] ?? '').split('::').filter((part) => /^[a-z_]\w*$/.test(part))
  const [first, ...rest] = parts
  if (first === 'crate') return [joinPath(/^(.*?\/)?src(?=\/)/.exec(path)?.[0] ?? '', rest.join('/'))]
  if (first === 'self') return [joinPath(home, rest.join('/'))]
  if (first === 'super') return [joinPath(folderOf(home), rest.map((part) => (part === 'super' ? '..' : part)).join('/'))]
  return first === undefined ? [] : [first]
}

export const rust: Language = { id: 'rust', extensions: ['rs'], grammar: 'rust', query, imports, docs: { line: /^\/\/[/!]?/, block: true } }
