import { folderOf, joinPath, stemOf } from './language.ts'
import type { Language } from './language.ts'

const query = `
  (function_definition name: (name) @name) @function
  (class_declaration name: (name) @name) @class
  (interface_declaration name: (name) @name) @interface
  (trait_declaration name: (name) @name) @class
  (enum_declaration name: (name) @name) @enum
  (method_declaration name: (name) @name) @method
  (const_declaration (const_element (name) @name)) @constant

  (function_call_expression function: (name) @call)
  (member_call_expression name: (name) @call)
  (nullsafe_member_call_expression name: (name) @call)
  (scoped_call_expression name: (name) @call)
  (scoped_call_expression scope: (name) @reference)
  (object_creation_expression (name) @call)
  (base_clause (name) @reference)
  (class_interface_clause (name) @reference)
  (named_type (name) @reference)

  (namespace_use_clause) @import
  (require_expression) @import
  (require_once_expression) @import
  (include_expression) @import
  (include_once_expression) @import
`

/** `use Shop\\Cart\\Till as T` → `Shop/Cart/Till`, and as PSR-4 roots it `Cart/Till`; `require __DIR__ . '/cart.php'` in `src/a.php` → `src/cart`. */
function imports(statement: string, path: string): string[] {
  if (/^(require|include)/.test(statement)) {
    const file = /['"]([^'"]+)['"]/.exec(statement)?.[1]
    return file ? [joinPath(folderOf(path), stemOf(file))] : []
  }
  const name = statement.replace(/\s+as\s+\w+$/i, '').replace(/^\\/, '').replaceAll('\\', '/')
  const [, ...inside] = name.split('/')
  return inside.length > 0 ? [name, inside.join('/')] : [name]
}

export const php: Language = { id: 'php', extensions: ['php', 'phtml'], grammar: 'php', query, imports, docs: { line: /^(\/\/+|#+)/, block: true } }
