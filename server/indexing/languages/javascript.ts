import { folderOf, joinPath, stemOf } from './language.ts'
import type { Language } from './language.ts'

const shared = `
  (function_declaration name: (identifier) @name) @function
  (generator_function_declaration name: (identifier) @name) @function
  (method_definition name: (_) @name) @method
  (pair key: (property_identifier) @name value: [(arrow_function) (function_expression)]) @method
  (lexical_declaration (variable_declarator name: (identifier) @name value: [(arrow_function) (function_expression)])) @function
  (variable_declaration (variable_declarator name: (identifier) @name value: [(arrow_function) (function_expression)])) @function
  (assignment_expression left: (member_expression property: (property_identifier) @name) right: [(arrow_function) (function_expression)]) @function
  (program (lexical_declaration (variable_declarator name: (identifier) @name)) @constant)
  (program (export_statement (lexical_declaration (variable_declarator name: (identifier) @name)) @constant))

  (call_expression function: (identifier) @call)
  (call_expression function: (member_expression property: (property_identifier) @call))
  (new_expression constructor: (identifier) @call)
  (new_expression constructor: (member_expression property: (property_identifier) @call))
  (arguments (identifier) @reference)
  (pair value: (identifier) @reference)
  (decorator (identifier) @reference)
  (import_specifier name: (identifier) @reference)
  (import_clause (identifier) @reference)

  (import_statement source: (string) @import)
  (export_statement source: (string) @import)
  (call_expression function: (import) arguments: (arguments (string) @import))
  (call_expression function: (identifier) @require arguments: (arguments (string) @import) (#eq? @require "require"))
`

const jsx = `
  (jsx_opening_element name: (identifier) @reference)
  (jsx_self_closing_element name: (identifier) @reference)
`

const classes = `
  (class_declaration name: (identifier) @name) @class
  (class_heritage (identifier) @reference)
  (field_definition property: (property_identifier) @name value: [(arrow_function) (function_expression)]) @method
`

const types = `
  (class_declaration name: (type_identifier) @name) @class
  (abstract_class_declaration name: (type_identifier) @name) @class
  (interface_declaration name: (type_identifier) @name) @interface
  (type_alias_declaration name: (type_identifier) @name) @type
  (enum_declaration name: (identifier) @name) @enum
  (internal_module name: (identifier) @name) @module
  (function_signature name: (identifier) @name) @function
  (method_signature name: (property_identifier) @name) @method
  (abstract_method_signature name: (property_identifier) @name) @method
  (public_field_definition name: (_) @name value: [(arrow_function) (function_expression)]) @method
  (extends_clause value: (identifier) @reference)
  (type_identifier) @reference
`

/** `./b` from `src/a.ts` → `src/b`; an alias (`#server/b.ts`, `@/b`, `~/b`) → `server/b`, `b`; a package as it is written. */
function imports(specifier: string, path: string): string[] {
  const name = specifier.slice(1, -1)
  if (/^\.{1,2}(\/|$)/.test(name)) return [toStem(joinPath(folderOf(path), name))]
  const alias = /^(?:#|@\/|~\/)(.+)$/.exec(name)
  return [alias ? toStem(alias[1]!.replace(/^\//, '')) : name]
}

function toStem(path: string): string {
  return /\.([cm]?[jt]sx?|vue|svelte|json)$/.test(path) ? stemOf(path) : stemOf(`${path}.ts`)
}

const docs = { line: /^\/\/+/, block: true }

export const typescript: Language = {
  id: 'typescript',
  extensions: ['ts', 'mts', 'cts'],
  grammar: 'typescript',
  query: shared + types,
  imports,
  docs,
}

export const tsx: Language = { id: 'tsx', extensions: ['tsx'], grammar: 'tsx', query: shared + types + jsx, imports, docs }

export const javascript: Language = {
  id: 'javascript',
  extensions: ['js', 'mjs', 'cjs', 'jsx'],
  grammar: 'javascript',
  query: shared + classes + jsx,
  imports,
  docs,
}
