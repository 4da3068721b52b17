import { randomUUID } from 'node:crypto'
import type { CandidateFileRow } from '#db/tenant/candidates.ts'
import type { ChunkRow } from '#db/tenant/chunks.ts'
import type { EdgeRow } from '#db/tenant/graph.ts'
import type { SymbolRow } from '#db/tenant/lookup.ts'
import { countTerms } from '#db/tenant/terms.ts'
import type { TermCounts } from '#db/tenant/terms.ts'
import type { FileWrite } from '#db/tenant/write-files.ts'

/**
 * Files of a repository at a commit that is not indexed, such as the head of a pull request, laid over what is: for one
 * question alone, and never stored.
 */
export type Overlay = {
  repositoryId: string
  /** The repository's name. */
  repository: string
  /** Full commit id that the files are of. */
  sha: string
  files: OverlayFile[]
  /** Paths whose indexed text does not hold at `sha`: changed, renamed or removed. */
  gone: ReadonlySet<string>
  /** The line that the question is asked on; a passage that holds it is always among the evidence. */
  focus: { path: string; line: number } | null
}

/** A file in the form in which the index would tell it. Ids are made for the occasion; no row has them. */
export type OverlayFile = { row: CandidateFileRow; terms: TermCounts; chunks: OverlayChunk[]; symbols: SymbolRow[]; edges: EdgeRow[] }

export type OverlayChunk = PassageRow & { ordinal: number; tokenLength: number; terms: TermCounts }

/** What a passage is made of. */
export type PassageRow = Pick<
  ChunkRow,
  'chunkId' | 'fileId' | 'repositoryId' | 'repository' | 'path' | 'startLine' | 'endLine' | 'sha' | 'content' | 'contentType' | 'language' | 'scope'
> &
  Partial<Pick<ChunkRow, 'title' | 'url' | 'changedAt'>>

/** @param files cut and cleaned as for the index; of one whose content is not indexed only the path counts. */
export function toOverlay(at: Pick<Overlay, 'repositoryId' | 'repository' | 'sha' | 'focus'>, files: FileWrite[], gone: Iterable<string>): Overlay {
  return { ...at, files: files.filter(({ skipReason }) => skipReason === null).map((file) => toOverlayFile(at, file)), gone: new Set([...gone, ...files.map(({ path }) => path)]) }
}

function toOverlayFile({ repositoryId, repository, sha }: Pick<Overlay, 'repositoryId' | 'repository' | 'sha'>, file: FileWrite): OverlayFile {
  const { path, stem, contentType, language } = file
  const place = { fileId: randomUUID(), repositoryId, path }
  return {
    row: { ...place, stem, contentType, tokenLength: file.tokens.length },
    terms: countTerms(file.tokens),
    chunks: file.chunks.map(({ content, ordinal, startLine, endLine, scope, tokens }) => ({
      ...place,
      chunkId: randomUUID(),
      repository,
      sha,
      content,
      contentType,
      language,
      ordinal,
      startLine,
      endLine,
      scope,
      tokenLength: tokens.length,
      terms: countTerms(tokens),
    })),
    symbols: file.symbols.map((symbol) => ({ ...symbol, ...place, id: randomUUID() })),
    edges: file.edges.map((edge) => ({ ...edge, ...place })),
  }
}

/** Rows of the index without those that do not hold at the overlay's commit. */
export function stillThere<Row extends { repositoryId: string; path: string }>(rows: Row[], overlay: Overlay | null): Row[] {
  return overlay === null ? rows : rows.filter(({ repositoryId, path }) => repositoryId !== overlay.repositoryId || !overlay.gone.has(path))
}

/** The shortest piece of an overlay that holds the line. */
export function overlayChunkAt(overlay: Overlay | null, place: { repositoryId: string; path: string; line: number }): OverlayChunk | undefined {
  if (overlay?.repositoryId !== place.repositoryId) return undefined
  const holds = (chunk: OverlayChunk) => chunk.startLine <= place.line && place.line <= chunk.endLine
  const held = overlay.files.find(({ row }) => row.path === place.path)?.chunks.filter(holds)
  return held?.sort((a, b) => a.endLine - a.startLine - (b.endLine - b.startLine))[0]
}
