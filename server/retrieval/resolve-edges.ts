import type { EdgeRow } from '#db/tenant/graph.ts'
import type { FileRow, SymbolRow } from '#db/tenant/lookup.ts'
import type { Relation } from '../agents/evidence.ts'

export type ResolvedEdge = Relation & { from: { fileId: string }; to: { fileId: string } }

/** A name that more definitions than this have could mean any of them, so that nothing is claimed of it. */
const mostMeanings = 2

/** Files of these languages call what their folder defines without importing it. */
const sharesFolder = /\.(?:go|java|kt|scala)$/

/** Folders that a language's import path leaves out. */
const roots = ['', 'src/', 'lib/', 'source/', 'app/']

/** Stems under which the file of an import or a test may stand. */
export function stemsOf(target: string): string[] {
  return roots.map((root) => `${root}${target}`)
}

/**
 * What edges point to, as far as it can be told within one repository: imports and tests by the stem of a file; calls and
 * references by the one definition of that name in their own file, in a file that theirs imports or, where a language has it so,
 * in their folder, else by a name that few definitions have. The rest is left out rather than guessed.
 *
 * @param symbols every definition of the names that edges call or refer to.
 * @param files every file of the stems that edges, or `imports`, import or test.
 * @param imports what else is known to be imported by the files that edges start from; told of, it is not.
 */
export function resolveEdges(edges: EdgeRow[], symbols: SymbolRow[], files: FileRow[], imports: EdgeRow[] = []): ResolvedEdge[] {
  const byName = Map.groupBy(symbols, (symbol) => `${symbol.repositoryId} ${symbol.name}`)
  const byStem = Map.groupBy(files, (file) => `${file.repositoryId} ${file.stem}`)
  const named = ({ repositoryId, target }: EdgeRow) => stemsOf(target).map((stem) => byStem.get(`${repositoryId} ${stem}`)).find((found) => found !== undefined) ?? []
  const imported = new Set([...edges, ...imports].filter(({ kind }) => kind === 'import').flatMap((edge) => named(edge).map((to) => `${edge.fileId} ${to.fileId}`)))

  function meanings(edge: EdgeRow): SymbolRow[] {
    const all = byName.get(`${edge.repositoryId} ${edge.target}`) ?? []
    const near = [
      all.filter((to) => to.fileId === edge.fileId),
      all.filter((to) => imported.has(`${edge.fileId} ${to.fileId}`)),
      sharesFolder.test(edge.path) ? all.filter((to) => folderOf(to.path) === folderOf(edge.path)) : [],
    ]
    return near.find(({ length }) => length === 1) ?? (all.length <= mostMeanings ? all : [])
  }

  return edges.flatMap((edge): ResolvedEdge[] => {
    const { kind, fileId, repositoryId, path, fromSymbol, line } = edge
    const from = { fileId, repositoryId, path, symbol: fromSymbol, line }
    if (kind === 'import' || kind === 'test') {
      return named(edge)
        .filter((to) => to.fileId !== fileId)
        .map((to) => ({ kind, from, to: { fileId: to.fileId, repositoryId, path: to.path, symbol: null, line: 1 } }))
    }
    return meanings(edge).map((to) => ({
      kind,
      from,
      to: { fileId: to.fileId, repositoryId, path: to.path, symbol: to.name, line: to.startLine },
    }))
  })
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}
