import { folderOf, joinPath } from './language.ts'
import type { Language } from './language.ts'

const query = `
  (function_definition name: (identifier) @name) @function
  (class_definition name: (identifier) @name) @class
  (module (expression_statement (assignment left: (identifier) @name) @constant))

  (call function: (identifier) @call)
  (call function: (attribute attribute: (identifier) @call))
  (argument_list (identifier) @reference)
  (argument_list (attribute attribute: (identifier) @reference))
  (keyword_argument value: (identifier) @reference)
  (type (identifier) @reference)
  (decorator (identifier) @reference)
  (decorator (attribute attribute: (identifier) @reference))
  (import_from_statement name: (dotted_name) @reference)
  (import_from_statement name: (aliased_import name: (dotted_name) @reference))

  (import_statement) @import
  (import_from_statement) @import
`

/**
 * `from .app import cli` in `src/flask/a.py` → `src/flask/app`, `src/flask/app/cli`: an imported name may be a module, unless
 * it is written like a class. `import flask.app` → `flask/app`.
 */
function imports(statement: string, path: string): string[] {
  const from = /^from\s+(\.*)([\w.]*)\s+import\s+\(?([^)]*)/.exec(statement.replace(/#[^\n]*/g, ''))
  if (!from) return listed(statement.replace(/^import\s+/, '')).map(toFolders)
  const [, dots = '', name = '', names = ''] = from
  const modules = listed(names).filter((each) => /^[a-z_]\w*$/.test(each))
  const relative = joinPath(joinPath(folderOf(path), '../'.repeat(Math.max(0, dots.length - 1))), toFolders(name))
  const base = dots === '' ? toFolders(name) : relative
  return [base, ...modules.map((module) => (base === '' ? module : `${base}/${module}`))]
}

function listed(names: string): string[] {
  return names
    .split(',')
    .map((each) => each.trim().split(/\s+/)[0] ?? '')
    .filter((each) => each !== '')
}

function toFolders(dotted: string): string {
  return dotted.replaceAll('.', '/')
}

export const python: Language = {
  id: 'python',
  extensions: ['py', 'pyi', 'pyw'],
  grammar: 'python',
  query,
  imports,
  docs: { line: /^#+:?/, docstring: true },
}
