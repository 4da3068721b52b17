import type { TenantDb } from '#db/index.ts'
import { edgesFrom, edgesTo } from '#db/tenant/graph.ts'
import { filesByStems, searchSymbols } from '#db/tenant/lookup.ts'
import type { FileEdge } from './rank.ts'
import { resolveEdges, stemsOf } from './resolve-edges.ts'

const mostNames = 150
const mostImporters = 12

/** Edges between these files and others of the same repository, either way, one for each pair and kind. */
export async function fileEdges(
  tenant: TenantDb,
  files: { fileId: string; stem: string }[],
  repositoryIds: string[],
): Promise<FileEdge[]> {
  if (files.length === 0) return []
  const [outgoing, incoming] = await Promise.all([
    edgesFrom(tenant, { fileIds: files.map(({ fileId }) => fileId) }),
    edgesTo(tenant, { names: [], stems: files.flatMap(({ stem }) => importedAs(stem)), repositoryIds, limit: mostImporters }),
  ])
  const edges = [...outgoing, ...incoming]
  const stems = edges.filter(({ kind }) => kind === 'import' || kind === 'test').flatMap(({ target }) => stemsOf(target))
  const names = [...new Set(outgoing.filter(({ kind }) => kind === 'call').map(({ target }) => target.toLowerCase()))].slice(
    0,
    mostNames,
  )
  const [stemFiles, symbols] = await Promise.all([
    filesByStems(tenant, { stems, repositoryIds }),
    searchSymbols(tenant, { names, limit: 4, repositoryIds }),
  ])
  const unique = new Map<string, FileEdge>()
  for (const { kind, from, to } of resolveEdges(edges, symbols, stemFiles)) {
    if (from.fileId !== to.fileId) unique.set(`${from.fileId} ${to.fileId} ${kind}`, { from: from.fileId, to: to.fileId, kind })
  }
  return [...unique.values()]
}

/** How an import may name a file of this stem: as it is, or without the folder that holds the sources. */
export function importedAs(stem: string): string[] {
  const inside = /^(?:src|lib|source|app)\/(.+)$/.exec(stem)?.[1]
  return inside === undefined ? [stem] : [stem, inside]
}
