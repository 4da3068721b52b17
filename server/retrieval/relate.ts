import type { TenantDb } from '#db/index.ts'
import { edgesFrom, edgesTo, symbolsInFiles, type EdgeRow } from '#db/tenant/graph.ts'
import { filesByStems, searchSymbols, type SymbolRow } from '#db/tenant/lookup.ts'
import { readCandidates } from '#db/tenant/candidates.ts'
import type { EvidenceSymbol, Relation } from '../agents/evidence.ts'
import { fileRole } from './file-role.ts'
import { importedAs } from './neighbours.ts'
import { stillThere } from './overlay.ts'
import type { Overlay } from './overlay.ts'
import type { Passage } from './passage.ts'
import { resolveEdges, stemsOf, type ResolvedEdge } from './resolve-edges.ts'
import { scoreSymbols } from './score-symbols.ts'
import type { Query } from './query.ts'

/** The most of each: evidence is read by a model and by people. */
const most = {
  files: 8,
  symbols: 60,
  symbolsOfFile: 15,
  named: 12,
  usesOfName: 8,
  namesCalled: 60,
  definitionsOfName: 5,
  relations: 80,
  ofKindFromFile: 12,
}
/** The same where a name is asked about: all of its uses may be what is wanted, and which of several things of the name they mean. */
const mostOfAsked = { usesOfName: 60, definitionsOfName: 12, relations: 160 }

/**
 * What the code graph says next to the passages: the definitions in their files that a passage shows or the question
 * names; who calls, imports and tests them; what they call and import. Confined to `repositoryIds`, and to edges whose
 * target can be told; lines are those of the commit that the passages are of. Where an overlay lies over the index, its
 * files are told instead of theirs.
 */
export async function relate(
  tenant: TenantDb,
  passages: Passage[],
  repositoryIds: string[],
  query?: Query,
  overlay: Overlay | null = null,
): Promise<{ symbols: EvidenceSymbol[]; relations: Relation[] }> {
  if (passages.length === 0 || repositoryIds.length === 0) return { symbols: [], relations: [] }
  const { files: rows } = await readCandidates(tenant, {
    chunkIds: passages.map(({ chunkId }) => chunkId),
    fileIds: [],
    repositoryIds,
  })
  const laid = overlay?.files ?? []
  const places = new Map([...stillThere(rows, overlay), ...laid.map(({ row }) => row)].map((row) => [`${row.repositoryId} ${row.path}`, row]))
  const files = [...new Set(passages.map((passage) => places.get(`${passage.repositoryId} ${passage.path}`)))]
    .filter((row) => row !== undefined)
    .slice(0, most.files)
  const fileIds = files.map(({ fileId }) => fileId)

  const [symbolRows, edgeRows] = await Promise.all([symbolsInFiles(tenant, fileIds), edgesFrom(tenant, { fileIds })])
  const chosenFiles = laid.filter(({ row }) => fileIds.includes(row.fileId))
  const inFiles = [...symbolRows, ...chosenFiles.flatMap(({ symbols }) => symbols)]
  const outgoing = [...edgeRows, ...chosenFiles.flatMap(({ edges }) => edges)]
  const chosen = chooseSymbols(inFiles, passages, query)
  const names = [...new Set(chosen.filter((symbol) => symbol.kind !== 'heading').map(({ name }) => name))].slice(0, most.named)
  const imported = files.flatMap(({ stem }) => importedAs(stem))
  const isAsked = (name: string) => query?.names.includes(name.toLowerCase()) ?? false
  const uses = await Promise.all([
    edgesTo(tenant, { names: names.filter((name) => !isAsked(name)), stems: imported, repositoryIds, limit: most.usesOfName }),
    edgesTo(tenant, { names: names.filter(isAsked), stems: [], repositoryIds, limit: mostOfAsked.usesOfName }),
  ])
  const incoming = [
    ...stillThere(uses.flat(), overlay),
    ...laid.flatMap(({ edges }) => edges.filter(({ target }) => names.includes(target) || imported.includes(target))),
  ]

  const edges = [...nearPassages(outgoing, passages), ...incoming]
  const called = new Set(
    edges.filter(({ kind }) => kind === 'call' || kind === 'reference').map(({ target }) => target.toLowerCase()),
  )
  // What a file imports tells which of several definitions it means; that is looked up for a name that is asked about.
  const users = incoming.filter(({ target }) => isAsked(target)).map(({ fileId }) => fileId)
  const bounds = users.length > 0 ? mostOfAsked : most
  const imports = [...(await edgesFrom(tenant, { fileIds: [...new Set(users)], kinds: ['import'] })), ...laid.flatMap((file) => file.edges)]
  const stems = [...edges, ...imports].filter(({ kind }) => kind === 'import' || kind === 'test').flatMap(({ target }) => stemsOf(target))
  const [definitionRows, fileRows] = await Promise.all([
    searchSymbols(tenant, { names: [...called].slice(0, most.namesCalled + most.named), limit: bounds.definitionsOfName, repositoryIds }),
    filesByStems(tenant, { stems, repositoryIds }),
  ])
  const definitions = [...stillThere(definitionRows, overlay), ...laid.flatMap(({ symbols }) => symbols.filter(({ name }) => called.has(name.toLowerCase())))]
  const stemFiles = [...stillThere(fileRows, overlay), ...laid.flatMap(({ row }) => (stems.includes(row.stem) ? [{ ...row, language: null }] : []))]
  return {
    symbols: chosen.map(toEvidenceSymbol),
    relations: boundRelations(resolveEdges(edges, definitions, stemFiles, imports), fileIds, bounds.relations),
  }
}

/** Definitions that the question names first, then those that passages show, in order of the passages. */
function chooseSymbols(symbols: SymbolRow[], passages: Passage[], query: Query | undefined): SymbolRow[] {
  const scores = query ? scoreSymbols(symbols, query) : symbols.map(() => 0)
  const shown = (symbol: SymbolRow) =>
    passages.findIndex(
      ({ repositoryId, path, startLine, endLine }) =>
        repositoryId === symbol.repositoryId &&
        path === symbol.path &&
        startLine <= symbol.endLine &&
        symbol.startLine <= endLine,
    )
  const ranked = symbols
    .map((symbol, at) => ({ symbol, score: scores[at]!, place: shown(symbol) }))
    .filter(({ score, place }) => score > 0 || place >= 0)
    .sort((a, b) => b.score - a.score || toPlace(a.place) - toPlace(b.place) || a.symbol.startLine - b.symbol.startLine)
  const ofFile = new Map<string, number>()
  const chosen: SymbolRow[] = []
  for (const { symbol } of ranked) {
    const count = ofFile.get(symbol.fileId) ?? 0
    if (count >= most.symbolsOfFile) continue
    ofFile.set(symbol.fileId, count + 1)
    chosen.push(symbol)
    if (chosen.length === most.symbols) break
  }
  return chosen
}

const toPlace = (place: number) => (place < 0 ? Number.MAX_SAFE_INTEGER : place)

/** Imports and tests of the files, and those calls and references that stand in a passage. */
function nearPassages(edges: EdgeRow[], passages: Passage[]): EdgeRow[] {
  const near = edges.filter(
    ({ kind, repositoryId, path, line }) =>
      kind === 'import' ||
      kind === 'test' ||
      passages.some(
        (passage) =>
          passage.repositoryId === repositoryId && passage.path === path && passage.startLine <= line && line <= passage.endLine,
      ),
  )
  const names = new Set<string>()
  return near.filter(({ kind, target }) => {
    if (kind === 'import' || kind === 'test') return true
    names.add(target)
    return names.size <= most.namesCalled
  })
}

/** Calls and tests say more than references and imports; one file may not fill the list; a use in the program goes before one in a test. */
function boundRelations(edges: ResolvedEdge[], fileIds: string[], limit: number): Relation[] {
  const order = { call: 0, test: 1, import: 2, reference: 3 }
  const place = (fileId: string) => (fileIds.includes(fileId) ? fileIds.indexOf(fileId) : fileIds.length)
  const sorted = edges
    .map((edge) => ({
      edge,
      near: Math.min(place(edge.from.fileId), place(edge.to.fileId)),
      isTest: edge.kind !== 'test' && fileRole(edge.from.path) !== 'source',
    }))
    .sort(
      (a, b) =>
        a.near - b.near ||
        order[a.edge.kind] - order[b.edge.kind] ||
        Number(a.isTest) - Number(b.isTest) ||
        a.edge.from.line - b.edge.from.line,
    )
  const counts = new Map<string, number>()
  const seen = new Set<string>()
  const bounded: Relation[] = []
  for (const { edge } of sorted) {
    const { kind, from, to } = edge
    const key = `${kind} ${from.fileId} ${from.line} ${to.fileId} ${to.line}`
    const group = `${kind} ${from.fileId} ${to.fileId}`
    const count = counts.get(group) ?? 0
    if (seen.has(key) || count >= most.ofKindFromFile) continue
    seen.add(key)
    counts.set(group, count + 1)
    bounded.push({ kind, from: withoutFileId(from), to: withoutFileId(to) })
    if (bounded.length === limit) break
  }
  return bounded
}

function withoutFileId({ fileId: _, ...end }: ResolvedEdge['from']): Relation['from'] {
  return end
}

function toEvidenceSymbol({
  name,
  container,
  kind,
  signature,
  doc,
  repositoryId,
  path,
  startLine,
  endLine,
}: SymbolRow): EvidenceSymbol {
  return { name, container, kind, signature, doc, repositoryId, path, startLine, endLine }
}
