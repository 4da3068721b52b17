import type { Language } from './language.ts'

const query = `
  (function_declaration name: (identifier) @name) @function
  (method_declaration receiver: (parameter_list (parameter_declaration type: (_) @container)) name: (field_identifier) @name) @method
  (type_declaration (type_spec name: (type_identifier) @name type: (struct_type)) @class)
  (type_declaration (type_spec name: (type_identifier) @name type: (interface_type)) @interface)
  (type_declaration (type_spec name: (type_identifier) @name) @type)
  (type_declaration (type_alias name: (type_identifier) @name) @type)
  (method_elem name: (field_identifier) @name) @method
  (source_file (const_declaration (const_spec name: (identifier) @name) @constant))
  (source_file (var_declaration (var_spec name: (identifier) @name) @constant))
  (source_file (var_declaration (var_spec_list (var_spec name: (identifier) @name) @constant)))

  (call_expression function: (identifier) @call)
  (call_expression function: (selector_expression field: (field_identifier) @call))
  (composite_literal type: (type_identifier) @call)
  (argument_list (identifier) @reference)
  (type_identifier) @reference

  (import_spec path: (interpreted_string_literal) @import)
`

/** Folder of the package: a path on a code host loses host, owner, repository and major version; the root package is named as its repository. */
function imports(literal: string): string[] {
  const parts = literal.slice(1, -1).split('/')
  if (!parts[0]?.includes('.')) return [parts.join('/')]
  const inside = parts.slice(/^(github|gitlab|bitbucket)\./.test(parts[0]) ? 3 : 2).filter((part, index) => index > 0 || !/^v\d+$/.test(part))
  return [inside.length > 0 ? inside.join('/') : (parts.filter((part) => !/^v\d+$/.test(part)).at(-1) ?? '')]
}

export const go: Language = { id: 'go', extensions: ['go'], grammar: 'go', query, imports, docs: { line: /^\/\/+/, block: true } }
