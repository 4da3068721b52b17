import { folderOf, joinPath, stemOf } from './language.ts'
import type { Language } from './language.ts'

const query = `
  (function_definition name: (word) @name) @function
  (program (variable_assignment name: (variable_name) @name) @constant)
  (command name: (command_name (word) @call))
  (command name: (command_name (word) @source) argument: (word) @import (#match? @source "^(source|\\\\.)$"))
`

export const bash: Language = {
  id: 'bash',
  extensions: ['sh', 'bash', 'zsh', 'ksh', 'bats'],
  names: ['.bashrc', '.zshrc', '.profile', '.bash_profile'],
  grammar: 'bash',
  query,
  imports: (file, path) => [stemOf(joinPath(folderOf(path), file.replace(/^\$\{?\w+\}?\//, '')))],
  docs: { line: /^#+(?!!)/ },
}

export const powershell: Language = {
  id: 'powershell',
  extensions: ['ps1', 'psm1', 'psd1'],
  grammar: 'powershell',
  query: '(function_statement (function_name) @name) @function  (command command_name: (command_name) @call)',
  docs: { line: /^#+/ },
}
