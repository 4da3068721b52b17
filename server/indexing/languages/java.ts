import type { Language } from './language.ts'

const query = `
  (class_declaration name: (identifier) @name) @class
  (record_declaration name: (identifier) @name) @class
  (interface_declaration name: (identifier) @name) @interface
  (annotation_type_declaration name: (identifier) @name) @interface
  (enum_declaration name: (identifier) @name) @enum
  (method_declaration name: (identifier) @name) @method
  (constructor_declaration name: (identifier) @name) @method
  (field_declaration (modifiers "static") declarator: (variable_declarator name: (identifier) @name)) @constant

  (method_invocation name: (identifier) @call)
  (object_creation_expression type: (type_identifier) @call)
  (method_reference (identifier) @reference)
  (marker_annotation name: (identifier) @reference)
  (annotation name: (identifier) @reference)
  (type_identifier) @reference

  (import_declaration) @import
`

/** `import static com.shop.Cart.total;` in `core/src/test/java/A.java` → `core/src/main/java/com/shop/Cart`, `core/src/test/java/com/shop/Cart`; elsewhere `com/shop/Cart`. */
function imports(statement: string, path: string): string[] {
  const [, isStatic, name = ''] = /^import\s+(static\s+)?([\w.]+)/.exec(statement) ?? []
  const parts = name.split('.').filter((part) => part !== '')
  const type = (isStatic && parts.length > 1 ? parts.slice(0, -1) : parts).join('/')
  const root = /^(?:.*\/)?src\/\w+\/java(?=\/)/.exec(path)?.[0]
  return root ? [...new Set([root.replace(/src\/\w+\/java$/, 'src/main/java'), root])].map((each) => `${each}/${type}`) : [type]
}

export const java: Language = { id: 'java', extensions: ['java'], grammar: 'java', query, imports, docs: { line: /^\/\/+/, block: true } }
