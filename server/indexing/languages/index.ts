import { bash, powershell } from './shell.ts'
import { c, cpp } from './cpp.ts'
import { csharp } from './csharp.ts'
import { go } from './go.ts'
import { java } from './java.ts'
import { javascript, tsx, typescript } from './javascript.ts'
import type { Language } from './language.ts'
import { php } from './php.ts'
import { python } from './python.ts'
import { ruby } from './ruby.ts'
import { rust } from './rust.ts'

/** Languages that are only named: cut by headings, paragraphs or, with a grammar, along their syntax. */
const plain: Language[] = [
  { id: 'css', extensions: ['css'], grammar: 'css' },
  { id: 'markdown', extensions: ['md', 'mdx', 'markdown', 'mdown'], documentation: true },
  { id: 'restructuredtext', extensions: ['rst'], documentation: true },
  { id: 'asciidoc', extensions: ['adoc', 'asciidoc', 'asc'], documentation: true },
  { id: 'text', extensions: ['txt'], names: ['license', 'copying', 'notice', 'authors', 'changes', 'changelog', 'readme'], documentation: true },
  { id: 'html', extensions: ['html', 'htm', 'xhtml', 'jinja', 'j2', 'hbs', 'ejs', 'erb'] },
  { id: 'json', extensions: ['json', 'jsonc', 'json5', 'jsonl', 'webmanifest'] },
  { id: 'yaml', extensions: ['yaml', 'yml'] },
  { id: 'toml', extensions: ['toml'] },
  { id: 'ini', extensions: ['ini', 'cfg', 'conf', 'properties', 'editorconfig'] },
  { id: 'xml', extensions: ['xml', 'xsd', 'xsl', 'csproj', 'props', 'targets', 'plist'] },
  { id: 'sql', extensions: ['sql'] },
  { id: 'graphql', extensions: ['graphql', 'gql'] },
  { id: 'protobuf', extensions: ['proto'] },
  { id: 'hcl', extensions: ['tf', 'hcl'] },
  { id: 'dockerfile', extensions: ['dockerfile'], names: ['dockerfile', 'containerfile'] },
  { id: 'makefile', extensions: ['mk'], names: ['makefile', 'gnumakefile', 'justfile'] },
  { id: 'vue', extensions: ['vue'] },
  { id: 'svelte', extensions: ['svelte'] },
  { id: 'scss', extensions: ['scss', 'sass', 'less'] },
  { id: 'kotlin', extensions: ['kt', 'kts'] },
  { id: 'swift', extensions: ['swift'] },
  { id: 'scala', extensions: ['scala', 'sbt'] },
  { id: 'elixir', extensions: ['ex', 'exs'] },
  { id: 'dart', extensions: ['dart'] },
  { id: 'lua', extensions: ['lua'] },
  { id: 'perl', extensions: ['pl', 'pm'] },
  { id: 'r', extensions: ['r'] },
  { id: 'haskell', extensions: ['hs'] },
  { id: 'clojure', extensions: ['clj', 'cljs', 'cljc'] },
]

/** Every language that Nura tells apart. A new one is its file and a line here. */
export const languages: readonly Language[] = [
  typescript,
  tsx,
  javascript,
  python,
  go,
  java,
  rust,
  ruby,
  csharp,
  php,
  c,
  cpp,
  bash,
  powershell,
  ...plain,
]

const byExtension = new Map(languages.flatMap((language) => language.extensions.map((extension) => [extension, language])))
const byName = new Map(languages.flatMap((language) => (language.names ?? []).map((name) => [name, language])))

/** By file name alone, so that a rename that keeps the language costs nothing. */
export function languageOf(path: string): Language | null {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  const extension = name.includes('.') ? name.slice(name.lastIndexOf('.') + 1) : ''
  return byName.get(name) ?? byExtension.get(extension) ?? (name.startsWith('dockerfile') ? byName.get('dockerfile')! : null)
}
