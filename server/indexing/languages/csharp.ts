import type { Language } from './language.ts'

const query = `
  (class_declaration name: (identifier) @name) @class
  (struct_declaration name: (identifier) @name) @class
  (record_declaration name: (identifier) @name) @class
  (interface_declaration name: (identifier) @name) @interface
  (enum_declaration name: (identifier) @name) @enum
  (delegate_declaration name: (identifier) @name) @type
  (method_declaration name: (identifier) @name) @method
  (constructor_declaration name: (identifier) @name) @method
  (property_declaration name: (identifier) @name) @method
  (local_function_statement name: (identifier) @name) @function

  (invocation_expression function: (identifier) @call)
  (invocation_expression function: (member_access_expression name: (identifier) @call))
  (invocation_expression function: (generic_name (identifier) @call))
  (object_creation_expression type: (identifier) @call)
  (argument (identifier) @reference)
  (base_list (identifier) @reference)
  (parameter type: (identifier) @reference)
  (attribute name: (identifier) @reference)

  (using_directive) @import
`

/** `using Shop.Cart;` → `Shop/Cart`. */
function imports(statement: string): string[] {
  const name = /^(?:global\s+)?using\s+(?:static\s+)?(?:\w+\s*=\s*)?([\w.]+)/.exec(statement)?.[1]
  return name ? [name.replaceAll('.', '/')] : []
}

export const csharp: Language = { id: 'csharp', extensions: ['cs'], grammar: 'c-sharp', query, imports, docs: { line: /^\/\/+/, block: true } }
