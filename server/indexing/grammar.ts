import { fileURLToPath } from 'node:url'
import { Language, Parser, Query } from 'web-tree-sitter'
import type { Tree } from 'web-tree-sitter'

/** A parser of one grammar. Its trees live in wasm memory, which nobody collects: whoever parses deletes the tree. */
export type Grammar = {
  /** @returns null when the text makes the parser search without end. */
  parse(text: string): Tree | null
  /** Compiled on first use and kept. */
  query(source: string): Query
}

const loaded = new Map<string, Promise<Grammar>>()
let started: Promise<void> | undefined

/** Loads `tree-sitter-<name>.wasm` once; every later call gets the same grammar. */
export function loadGrammar(name: string): Promise<Grammar> {
  const grammar = loaded.get(name) ?? openGrammar(name)
  loaded.set(name, grammar)
  return grammar
}

async function openGrammar(name: string): Promise<Grammar> {
  await (started ??= Parser.init())
  const file = fileURLToPath(import.meta.resolve(`@vscode/tree-sitter-wasm/wasm/tree-sitter-${name}.wasm`))
  const language = await Language.load(file)
  const parser = new Parser().setLanguage(language)
  const queries = new Map<string, Query>()
  return {
    parse(text) {
      let steps = 0
      // Counted, not timed, so that two machines cut the same chunks. Ordinary source takes far less than a step a character.
      const limit = 20_000 + text.length
      const tree = parser.parse(text, null, { progressCallback: () => ++steps > limit })
      if (tree === null) parser.reset()
      return tree
    },
    query(source) {
      const query = queries.get(source) ?? new Query(language, source)
      queries.set(source, query)
      return query
    },
  }
}
