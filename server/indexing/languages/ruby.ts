import { folderOf, joinPath, stemOf } from './language.ts'
import type { Language } from './language.ts'

const query = `
  (method name: (_) @name) @method
  (singleton_method name: (_) @name) @method
  (class name: (_) @name) @class
  (module name: (_) @name) @module
  (assignment left: (constant) @name) @constant

  (call method: (identifier) @call)
  (call receiver: (constant) @reference)
  (superclass (constant) @reference)
  (argument_list (constant) @reference)

  (call method: (identifier) @require arguments: (argument_list (string)) (#match? @require "^(require|require_relative|load|autoload)$")) @import
`

/** `require_relative '../cart'` in `lib/shop/till.rb` → `lib/cart`; `require 'shop/cart'` → `shop/cart`. */
function imports(statement: string, path: string): string[] {
  const [, how, name] = /^(\w+)[\s(]+['"]([^'"]+)['"]/.exec(statement) ?? []
  if (!name) return []
  const bare = name.endsWith('.rb') ? stemOf(name) : name
  return [how === 'require_relative' ? joinPath(folderOf(path), bare) : bare]
}

export const ruby: Language = {
  id: 'ruby',
  extensions: ['rb', 'rake', 'gemspec', 'ru'],
  names: ['rakefile', 'gemfile', 'guardfile', 'vagrantfile', 'podfile', 'fastfile'],
  grammar: 'ruby',
  query,
  imports,
  docs: { line: /^#+/ },
}
