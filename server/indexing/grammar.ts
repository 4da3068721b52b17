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

/** Characters that the parser takes at once: what its buffer holds. */
const readLength = 5_000

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
      let reads = 0
      // Counted, not timed, so that two machines cut the same chunks. Ordinary source takes far less than a step a character, and
      // reads each of them a few times; comments that begin and never end have all that follows read again by each.
      const most = { steps: 20_000 + text.length, reads: 1_000 + (20 * text.length) / readLength }
      const read = (index: number) => (++reads > most.reads ? '' : text.slice(index, index + readLength))
      const tree = parser.parse(read, null, { progressCallback: () => ++steps > most.steps || reads > most.reads })
      if (tree !== null && reads <= most.reads) return tree
      tree?.delete()
      parser.reset()
      return null
    },
    query(source) {
      const query = queries.get(source) ?? new Query(language, source)
      queries.set(source, query)
      return query
    },
  }
}
