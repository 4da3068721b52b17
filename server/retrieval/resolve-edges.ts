import type { EdgeRow } from '#db/tenant/graph.ts'
import type { FileRow, SymbolRow } from '#db/tenant/lookup.ts'
import type { Relation } from '../agents/evidence.ts'

export type ResolvedEdge = Relation & { from: { fileId: string }; to: { fileId: string } }

/** A name that more definitions than this have could mean any of them, so that nothing is claimed of it. */
const mostMeanings = 2

/** Folders that a language's import path leaves out. */
const roots = ['', 'src/', 'lib/', 'source/', 'app/']

/** Stems under which the file of an import or a test may stand. */
export function stemsOf(target: string): string[] {
  return roots.map((root) => `${root}${target}`)
}

/**
 * What edges point to, as far as it can be told within one repository: imports and tests by the stem of a file, calls and
 * references by a name that few definitions have. The rest is left out rather than guessed.
 *
 * @param symbols every definition of the names that edges call or refer to.
 * @param files every file of the stems that edges import or test.
 */
export function resolveEdges(edges: EdgeRow[], symbols: SymbolRow[], files: FileRow[]): ResolvedEdge[] {
  const byName = Map.groupBy(symbols, (symbol) => `${symbol.repositoryId} ${symbol.name}`)
  const byStem = Map.groupBy(files, (file) => `${file.repositoryId} ${file.stem}`)
  return edges.flatMap((edge): ResolvedEdge[] => {
    const { kind, fileId, repositoryId, path, fromSymbol, line } = edge
    const from = { fileId, repositoryId, path, symbol: fromSymbol, line }
    if (kind === 'import' || kind === 'test') {
      const stem = stemsOf(edge.target).find((each) => byStem.has(`${repositoryId} ${each}`))
      const found = stem === undefined ? [] : byStem.get(`${repositoryId} ${stem}`)!
      return found
        .filter((to) => to.fileId !== fileId)
        .map((to) => ({ kind, from, to: { fileId: to.fileId, repositoryId, path: to.path, symbol: null, line: 1 } }))
    }
    const meant = byName.get(`${repositoryId} ${edge.target}`) ?? []
    const inOwnFile = meant.filter((to) => to.fileId === fileId)
    const chosen = inOwnFile.length === 1 ? inOwnFile : meant.length <= mostMeanings ? meant : []
    return chosen.map((to) => ({
      kind,
      from,
      to: { fileId: to.fileId, repositoryId, path: to.path, symbol: to.name, line: to.startLine },
    }))
  })
}
