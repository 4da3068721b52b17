import type { TenantDb } from '#db/index.ts'
import { readChunks } from '#db/tenant/chunks.ts'
import { chunksAt } from '#db/tenant/chunks-at.ts'
import { readFrequencies } from '#db/tenant/frequencies.ts'
import { findIntroduction, largestFolders } from '#db/tenant/outline.ts'
import { isDocument } from '../models/extractive/paragraphs.ts'
import { toReading } from '../models/extractive/reading.ts'
import { rankDefinitions } from '../models/extractive/subject.ts'
import { fileRole } from '../retrieval/file-role.ts'
import { overlayChunkAt, stillThere } from '../retrieval/overlay.ts'
import type { Overlay, PassageRow } from '../retrieval/overlay.ts'
import type { Passage } from '../retrieval/passage.ts'
import { toQuery } from '../retrieval/query.ts'
import { relate } from '../retrieval/relate.ts'
import { toPassage } from '../retrieval/to-passage.ts'
import type { Agent } from './agent.ts'
import type { Evidence, Relation } from './evidence.ts'

/** Definitions whose neighbours are fetched, and the most passages that are added for them. */
const most = { subjects: 3, uses: 8, calls: 8, added: 14, repositories: 3, folders: 8, sections: 3 }

/**
 * The evidence of a question: the passages found, what is defined in them, and the passages that show where the likeliest
 * subjects are used and what they call, so that each such claim can be cited. Stays within `repositoryIds`.
 */
export async function gather(
  tenant: TenantDb,
  { question, isGeneral }: { question: string; isGeneral: boolean },
  passages: Passage[],
  repositoryIds: string[],
  lens: Agent['lens'],
  overlay: Overlay | null = null,
): Promise<Evidence> {
  const found = await toEvidence(tenant, question, passages, repositoryIds, overlay)
  const places = isGeneral ? await introductions(tenant, repositoryIds) : [...placesToShow(found, lens), ...scripts(question, repositoryIds)]
  const rows = await rowsAt(tenant, places, new Set(passages.map(({ chunkId }) => chunkId)), overlay)
  if (rows.length === 0) return found
  const allowed = new Set(repositoryIds)
  const added = rows
    .filter(({ repositoryId }) => allowed.has(repositoryId))
    .map((row, at) => toPassage(row, { n: passages.length + at + 1, score: 0, legs: { graph: 1 } }))
  const more = await relate(tenant, added, repositoryIds, undefined, overlay)
  return {
    ...found,
    passages: [...passages, ...added],
    symbols: distinct([...found.symbols, ...more.symbols], ({ repositoryId, path, name, startLine }) => `${repositoryId} ${path} ${startLine} ${name}`),
    relations: distinct([...found.relations, ...more.relations], ({ kind, from, to }) => `${kind} ${from.repositoryId} ${from.path} ${from.line} ${to.path} ${to.line} ${to.symbol}`),
  }
}

/** Passages with what is defined in them, the edges between them, and how much each term of the question tells. */
export async function toEvidence(tenant: TenantDb, question: string, passages: Passage[], repositoryIds: string[], overlay: Overlay | null): Promise<Evidence> {
  const query = toQuery(question)
  const [related, { chunks, held }] = await Promise.all([relate(tenant, passages, repositoryIds, query, overlay), readFrequencies(tenant, query.tokens)])
  const weights = Object.fromEntries(query.tokens.map((token) => [token, Math.log(1 + (chunks + 0.5) / ((held.get(token) ?? 0) + 0.5))]))
  return { question, passages, ...related, weights }
}

/** What shows these places, in their order, without what is known already. */
async function rowsAt(tenant: TenantDb, places: { repositoryId: string; path: string; line: number }[], known: Set<string>, overlay: Overlay | null): Promise<PassageRow[]> {
  const laid = places.flatMap((place) => overlayChunkAt(overlay, place) ?? [])
  const chunkIds = (await chunksAt(tenant, stillThere(places, overlay))).filter((chunkId) => !known.has(chunkId)).slice(0, most.added)
  const rows = [...laid.filter(({ chunkId }) => !known.has(chunkId)), ...(await readChunks(tenant, chunkIds))]
  return distinct(rows, ({ chunkId }) => chunkId).slice(0, most.added)
}

/** Where repositories introduce themselves, and a telling file of each of their larger folders. */
async function introductions(tenant: TenantDb, repositoryIds: string[]): Promise<{ repositoryId: string; path: string; line: number }[]> {
  const places = await Promise.all(
    repositoryIds.slice(0, most.repositories).map(async (repositoryId) => {
      const [readme, folders] = await Promise.all([
        findIntroduction(tenant, repositoryId, readmes),
        // Some are of tests or examples, and are left out.
        largestFolders(tenant, repositoryId, { folders: 4 * most.folders, files: 20 }, entry),
      ])
      const telling = folders.flatMap(({ files }) => files.find((path) => fileRole(path) === 'source') ?? []).slice(0, most.folders)
      return [
        ...(readme === null ? [] : [1, 15, 30].map((line) => ({ repositoryId, path: readme, line }))),
        ...telling.map((path) => ({ repositoryId, path, line: 1 })),
      ]
    }),
  )
  return places.flat()
}

/** Where repositories keep their commands, for a question how to run one. */
function scripts(question: string, repositoryIds: string[]): { repositoryId: string; path: string; line: number }[] {
  if (!/\bhow (?:do|can|to)\b.*\b(?:run|test|tests|build|install|start|lint|check|deploy|develop)\b/i.test(question)) return []
  const files = ['package.json', 'Makefile', 'pyproject.toml', 'tox.ini', 'README.md', 'CONTRIBUTING.md']
  return repositoryIds.slice(0, most.repositories).flatMap((repositoryId) => files.flatMap((path) => [1, 20, 40].map((line) => ({ repositoryId, path, line }))))
}

/** Files that name what their folder holds. */
const entry = /(?:^|\/)(?:index|main|mod|lib|app|server|__init__)\.[a-z]+$/
const readmes = [/^readme\.[a-z]+$/, /^(?:docs\/)?(?:readme|index)\.(?:md|rst|txt)$/]

/** Lines that name the likeliest subjects, source before tests, the definitions that those name, and what follows a section. */
function placesToShow(evidence: Evidence, lens: Agent['lens']): { repositoryId: string; path: string; line: number }[] {
  const reading = toReading(evidence, lens)
  const shown = (place: { repositoryId: string; path: string; line: number }) => reading.passageAt(place, place.line) !== undefined
  const after = evidence.passages
    .filter((passage) => isDocument(passage))
    .slice(0, most.sections)
    .map(({ repositoryId, path, endLine }) => ({ repositoryId, path, line: endLine + 1 }))
  const subjects = rankDefinitions(reading).slice(0, most.subjects).map(({ definition }) => definition)
  const next = subjects.flatMap((subject, rank) => {
    const same = (place: { repositoryId: string; path: string }) => place.repositoryId === subject.repositoryId && place.path === subject.path
    const room = rank === 0 ? 1 : 0.5
    const uses = evidence.relations.filter(({ to }) => same(to) && to.symbol === subject.name).map(({ from, kind }) => ({ ...from, kind }))
    const calls = evidence.relations.filter(({ from, kind }) => kind === 'call' && same(from) && from.line >= subject.startLine && from.line <= subject.endLine).map(({ to }) => to)
    const rest = { repositoryId: subject.repositoryId, path: subject.path, line: subject.passage.endLine + 1 }
    return [
      ...(rest.line <= subject.endLine && !shown(rest) ? [rest] : []),
      ...byRole(uses).filter((place) => !shown(place)).slice(0, most.uses * room),
      ...calls.filter((place) => !shown(place)).slice(0, most.calls * room),
    ]
  })
  return [...next, ...after]
}

function byRole<T extends { path: string; kind: Relation['kind'] }>(places: T[]): T[] {
  const order = ({ path, kind }: T) => (fileRole(path) === 'test' ? 2 : 0) + (kind === 'import' ? 1 : 0)
  return places.toSorted((a, b) => order(a) - order(b))
}

function distinct<T>(values: T[], key: (value: T) => string): T[] {
  return [...new Map(values.map((value) => [key(value), value] as const)).values()]
}
