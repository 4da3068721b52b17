import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { beginBulk, endBulk } from '#db/tenant/bulk.ts'
import { readCorpus } from '#db/tenant/corpus.ts'
import { finishSync } from '#db/tenant/manifest.ts'
import { moveFiles } from '#db/tenant/move-files.ts'
import { findRepository, updateRepository } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { removeFiles, writeFiles } from '#db/tenant/write-files.ts'
import type { Logger } from '../log.ts'
import type { Embedder, Embedders } from '../models/embedder.ts'
import { embedderMissing } from '../models/embedder-missing.ts'
import type { Head, Source } from '../sources/source.ts'
import { tokens } from '../tokens.ts'
import { chunkerVersion } from './chunk.ts'
import { embedMissing } from './embed.ts'
import { findChanges, indexRules } from './find-changes.ts'
import { stemOf } from './languages/language.ts'
import type { MadeVectors } from './made-vectors.ts'
import { markOutdated } from './mark-outdated.ts'
import type { Change } from './plan.ts'
import { readFile, toSkipped } from './read-file.ts'
import type { ReadFile } from './read-file.ts'
import { testSubjects } from './test-subject.ts'

export type IndexParts = {
  embedders: Pick<Embedders, 'primary' | 'of'>
  /** Vectors that an earlier run could not write; without it they are made anew. */
  madeVectors?: MadeVectors
  log: Logger
}

/** How far a run is: `done` of `total` changes, at most some 200 times a run. */
export type IndexProgress = { phase: 'files' | 'vector index'; done: number; total: number; path?: string }

export type IndexOptions = { onProgress?: (progress: IndexProgress) => void; signal?: AbortSignal }

export type IndexReport = {
  sha: string
  /** Files read and written, and files that were looked at and needed nothing. */
  files: number
  kept: number
  chunks: number
  /** Chunks that cost an embedding, and chunks whose vector the tenant had. */
  embedded: number
  reused: number
  moved: number
  removed: number
  /** Files that were looked at and are not indexed, by reason. */
  skipped: Record<string, number>
  /** Secrets that were replaced, by kind. */
  redacted: Record<string, number>
  ms: number
}

/** Most chunks and files that are held, embedded and written at once: what keeps memory flat. */
const batchChunks = 256
const batchFiles = 64
/** Documents come while people ask, and the embedded store does one thing at a time: it gets less at once, and questions a turn in between. */
const gentle = { chunks: 48, pauseMs: 120 }
const batchRemovals = 500

/**
 * Makes the index of a repository equal to its source's head. A run that is cut short is taken up by the next one where
 * it stopped; a run with nothing to do writes nothing.
 *
 * Vectors are made in the tenant's own embedding space, whatever the process prefers; a tenant without an index begins in the
 * preferred one.
 *
 * @throws NuraError `unknown-repository`, `embedder-missing`, what the source and the embedder throw; the signal's reason on abort
 */
export async function indexSource(parts: IndexParts, tenant: TenantDb, { id }: { id: string }, source: Source, options: IndexOptions = {}): Promise<IndexReport> {
  const { onProgress, signal } = options
  const started = performance.now()
  const repository = await findRepository(tenant, id)
  if (!repository) throw new NuraError('unknown-repository', 'The repository is no longer connected.')
  const head = await source.head(signal)
  const changes = await findChanges(tenant, repository, source, head, parts.log, signal)
  const report = createReport(head, changes)

  const work = changes.filter(({ kind }) => kind !== 'keep')
  if (work.length > 0 || repository.indexedSha !== head.sha) {
    const show = createProgress(work.length, onProgress)
    await updateRepository(tenant, id, { state: 'indexing', error: null, ...(head.url === null ? {} : { url: head.url }), defaultBranch: head.branch })
    await applyMoves(tenant, id, head, changes, show)
    await applyRemovals(tenant, id, changes, show, signal)
    const embedder = await chooseEmbedder(parts, tenant)
    const write = () => applyWrites({ ...parts, embedder, isGentle: repository.source === 'documents' }, tenant, id, source, head, changes, report, show, signal)
    await ((await isBulk(tenant, repository)) ? inBulk({ ...parts, embedder }, tenant, write, onProgress) : write())
    await finishSync(tenant, id, head.sha, indexRules)
    await markOutdated(tenant, id, head.sha)
  }
  report.ms = Math.round(performance.now() - started)
  parts.log.info({ repository: repository.name, ...report }, 'indexed')
  return report
}

type WriteParts = IndexParts & { embedder: Embedder; isGentle?: boolean }

async function chooseEmbedder({ embedders }: IndexParts, tenant: TenantDb): Promise<Embedder> {
  const { activeSpace } = await readCorpus(tenant)
  if (activeSpace === null) return embedders.primary
  const embedder = embedders.of(activeSpace)
  if (!embedder) throw embedderMissing(activeSpace)
  return embedder
}

async function applyMoves(tenant: TenantDb, id: string, head: Head, changes: Change[], show: Show): Promise<void> {
  const moves = changes.filter((change) => change.kind === 'move')
  const toMove = ({ from, entry: { path } }: (typeof moves)[number]) => ({
    from, to: path, stem: stemOf(path), tokens: { from: tokens(from), to: tokens(path) }, subjects: testSubjects(path),
  })
  await moveFiles(tenant, id, head.sha, moves.map(toMove))
  show(moves.length)
}

async function applyRemovals(tenant: TenantDb, id: string, changes: Change[], show: Show, signal?: AbortSignal): Promise<void> {
  const paths = changes.filter((change) => change.kind === 'remove').map(({ path }) => path)
  for (let start = 0; start < paths.length; start += batchRemovals) {
    signal?.throwIfAborted()
    const batch = paths.slice(start, start + batchRemovals)
    await removeFiles(tenant, id, batch)
    show(batch.length)
  }
}

/** Documents come while people ask: only the very first ones of a tenant may take its search indexes away. */
async function isBulk(tenant: TenantDb, { indexedSha, source }: Repository): Promise<boolean> {
  if (indexedSha !== null) return false
  return source !== 'documents' || (await readCorpus(tenant)).chunks === 0
}

/** A first index is written without the vector index, which is built after it; after a failure too, as other repositories need it. */
async function inBulk({ embedder, log }: WriteParts, tenant: TenantDb, write: () => Promise<void>, onProgress: IndexOptions['onProgress']): Promise<void> {
  await beginBulk(tenant, embedder.space)
  try {
    await write()
  } catch (error) {
    await endBulk(tenant, embedder.space).catch((second) => log.warn({ error: second }, 'the vector index is built by the next run'))
    throw error
  }
  onProgress?.({ phase: 'vector index', done: 0, total: 1 })
  await endBulk(tenant, embedder.space)
  onProgress?.({ phase: 'vector index', done: 1, total: 1 })
}

async function applyWrites(
  { embedder, madeVectors: kept, isGentle = false }: WriteParts,
  tenant: TenantDb,
  repositoryId: string,
  source: Source,
  head: Head,
  changes: Change[],
  report: IndexReport,
  show: Show,
  signal?: AbortSignal,
): Promise<void> {
  const context = { repositoryId, sha: head.sha, space: embedder.space, chunkerVersion }
  let writing: Promise<void> = Promise.resolve()
  let made: ReadonlyMap<string, number[]> = new Map()

  // While one batch is being written the next is read, cut and embedded; no third one is held.
  async function flush(batch: ReadFile[]): Promise<void> {
    const texts = new Map(batch.flatMap((read) => [...read.texts]))
    const { vectors, embedded } = await embedMissing(embedder, tenant, texts, { made, kept, signal })
    await writing
    if (isGentle) await sleep(gentle.pauseMs, undefined, { signal }).catch(() => signal?.throwIfAborted())
    made = vectors
    for (const { file } of batch) for (const chunk of file.chunks) chunk.embedding = vectors.get(chunk.key)!
    count(report, batch, embedded)
    writing = writeFiles(tenant, context, batch.map(({ file }) => file))
    // Awaited at the next flush; a failure before that must not end the process.
    writing.catch(() => undefined)
    show(batch.length, batch.at(-1)?.file.path)
  }

  let batch: ReadFile[] = []
  let held = 0
  try {
    for await (const read of readChanges(source, changes, embedder.space, signal)) {
      signal?.throwIfAborted()
      batch.push(read)
      held += read.file.chunks.length
      if (held < (isGentle ? gentle.chunks : batchChunks) && batch.length < batchFiles) continue
      await flush(batch)
      ;[batch, held] = [[], 0]
    }
    if (batch.length > 0) await flush(batch)
  } catch (error) {
    // A source that takes no more calls for now gave what was read before: the next run goes on after it.
    if (batch.length > 0 && error instanceof NuraError && error.retryAt && !signal?.aborted) await flush(batch)
    throw error
  } finally {
    await writing
  }
}

/** Skipped files first, which need no reading, then each file of the tree that is new or different. */
async function* readChanges(source: Source, changes: Change[], space: string, signal?: AbortSignal): AsyncGenerator<ReadFile> {
  for (const change of changes) {
    if (change.kind === 'skip') yield { file: toSkipped(change.entry, change.reason), texts: new Map(), redacted: [] }
  }
  const entries = changes.flatMap((change) => (change.kind === 'add' || change.kind === 'change' ? [change.entry] : []))
  const ordered = sampleFirst(entries)
  let next = 0
  for await (const { bytes, kept } of source.read(ordered.map(({ blobSha }) => blobSha), signal)) {
    yield await readFile(ordered[next++]!, bytes, space, kept)
    // What is buffered is read without a turn of the event loop, which the batch being written waits for.
    await nextTurn()
  }
}

/** The first batch fixes the mean lengths that weights are made with: files from all over the tree tell them best. */
function sampleFirst<Entry>(entries: Entry[]): Entry[] {
  const step = Math.ceil(entries.length / batchFiles)
  const isSample = (index: number) => index % step === 0
  return [...entries.filter((_, index) => isSample(index)), ...entries.filter((_, index) => !isSample(index))]
}

function createReport(head: Head, changes: Change[]): IndexReport {
  const countOf = (kind: Change['kind']) => changes.filter((change) => change.kind === kind).length
  const skipped: Record<string, number> = {}
  let kept = 0
  for (const change of changes) {
    if (change.kind !== 'keep') continue
    if (change.reason === null) kept++
    else add(skipped, change.reason, 1)
  }
  return { sha: head.sha, files: 0, kept, chunks: 0, embedded: 0, reused: 0, moved: countOf('move'), removed: countOf('remove'), skipped, redacted: {}, ms: 0 }
}

function count(report: IndexReport, batch: ReadFile[], embedded: number): void {
  for (const { file, redacted } of batch) {
    if (file.skipReason === null) report.files++
    else add(report.skipped, file.skipReason, 1)
    report.chunks += file.chunks.length
    report.reused += file.chunks.length
    for (const { kind, count: times } of redacted) add(report.redacted, kind, times)
  }
  report.embedded += embedded
  report.reused -= embedded
}

function add(counts: Record<string, number>, name: string, by: number): void {
  counts[name] = (counts[name] ?? 0) + by
}

type Show = (done: number, path?: string) => void

/** Tells of every half percent once, so that a run of a million files does not flood its terminal. */
function createProgress(total: number, onProgress: IndexOptions['onProgress']): Show {
  let done = 0
  let told = -1
  return (more, path) => {
    done += more
    const step = Math.floor((done * 200) / Math.max(total, 1))
    if (step === told) return
    told = step
    onProgress?.({ phase: 'files', done, total, path })
  }
}
