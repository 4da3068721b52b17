import { folderOf, joinPath, stemOf } from './language.ts'
import type { Language } from './language.ts'

const declarator = (inner: string) => `(function_definition declarator: ${inner}) @function
  (function_definition declarator: (pointer_declarator declarator: ${inner})) @function
  (function_definition declarator: (reference_declarator ${inner})) @function`

const query = `
  ${declarator('(function_declarator declarator: (identifier) @name)')}
  ${declarator('(function_declarator declarator: (field_identifier) @name)')}
  ${declarator('(function_declarator declarator: (qualified_identifier scope: (_) @container name: (identifier) @name))')}
  ${declarator('(function_declarator declarator: (qualified_identifier scope: (_) @container name: (destructor_name) @name))')}
  (class_specifier name: (type_identifier) @name body: (_)) @class
  (struct_specifier name: (type_identifier) @name body: (_)) @class
  (union_specifier name: (type_identifier) @name body: (_)) @class
  (enum_specifier name: (type_identifier) @name body: (_)) @enum
  (namespace_definition name: (namespace_identifier) @name) @module
  (alias_declaration name: (type_identifier) @name) @type
  (type_definition declarator: (type_identifier) @name) @type
  (field_declaration declarator: (function_declarator declarator: (field_identifier) @name)) @method
  (preproc_function_def name: (identifier) @name) @function
  (translation_unit (declaration declarator: (init_declarator declarator: (identifier) @name)) @constant)

  (call_expression function: (identifier) @call)
  (call_expression function: (field_expression field: (field_identifier) @call))
  (call_expression function: (qualified_identifier name: (identifier) @call))
  (argument_list (identifier) @reference)
  (base_class_clause (type_identifier) @reference)
  (type_identifier) @reference

  (preproc_include path: (_) @import)
`

/** `"cart.h"` in `src/till.c` → `src/cart`; `"shop/cart.h"` and `<shop/cart.h>` → `shop/cart`, `include/shop/cart`. */
function imports(included: string, path: string): string[] {
  const file = included.slice(1, -1)
  const local = included.startsWith('"') && (!file.includes('/') || file.startsWith('.'))
  return local ? [stemOf(joinPath(folderOf(path), file))] : [stemOf(file), `include/${stemOf(file)}`]
}

const docs = { line: /^\/\/[/!]?/, block: true }

/** C goes through the C++ grammar, which reads it too. */
export const cpp: Language = {
  id: 'cpp',
  extensions: ['cc', 'cpp', 'cxx', 'c++', 'hpp', 'hh', 'hxx', 'h++', 'ipp', 'inl', 'cu', 'cuh', 'ino'],
  grammar: 'cpp',
  query,
  imports,
  docs,
}

export const c: Language = { ...cpp, id: 'c', extensions: ['c', 'h'] }
