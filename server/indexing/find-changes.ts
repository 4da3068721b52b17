import type { TenantDb } from '#db/index.ts'
import { hasFiles, readManifest } from '#db/tenant/manifest.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { readSourceFiles } from '#db/tenant/source-files.ts'
import type { Logger } from '../log.ts'
import { skipByEntry, skipVersion } from '../sources/skip.ts'
import type { Head, KnownTexts, Source, TreeDifference, TreeEntry } from '../sources/source.ts'
import { applySettings } from './apply-settings.ts'
import { boundPath } from './bound-path.ts'
import { chunkerVersion } from './chunk.ts'
import { isSourceText, keepSourceTexts } from './keep-source-texts.ts'
import type { SourceTexts } from './keep-source-texts.ts'
import { languageOf } from './languages/index.ts'
import { planChanges } from './plan.ts'
import type { Change, Rules } from './plan.ts'
import { createSettingsSkip, toSettings } from './settings.ts'

/** What an index was made by: an index made by other rules is held against the whole tree. */
export const indexRules = `${chunkerVersion}.${skipVersion}`

/**
 * What is to be done so that the index of a repository is the tree at `head`.
 *
 * The whole tree is held against the whole manifest, which mends any state, unless the index is known to equal a tree: then
 * what differs between that tree and the new one is all that can be otherwise, and is all that is looked at.
 */
export async function findChanges(tenant: TenantDb, repository: Repository, source: Source, head: Head, log: Logger, signal?: AbortSignal): Promise<Change[]> {
  const kept = await readSourceFiles(tenant, repository.id)
  const texts = new Map(kept.map(({ blobSha, content }) => [blobSha, content]))
  const difference = await readDifference(tenant, repository, source, head, texts, signal)
  return difference ? planDifference(tenant, repository, difference) : planTree(tenant, repository, source, head, { kept, texts }, log, signal)
}

/** A run at the commit that is indexed already was asked for to mend something, so it looks at everything. */
async function readDifference(tenant: TenantDb, { id, indexedSha, indexedRules }: Repository, source: Source, head: Head, texts: KnownTexts, signal?: AbortSignal): Promise<TreeDifference | null> {
  if (indexedSha == null || indexedRules !== indexRules || indexedSha === head.sha) return null
  if (source.comparedFrom !== undefined && !(await hasFiles(tenant, id, source.comparedFrom))) return null
  const found = (await source.difference?.(indexedSha, head.sha, signal, texts)) ?? null
  const difference = found && { entries: found.entries.map(boundEntry), gone: found.gone.map(boundPath) }
  const paths = difference && [...difference.entries.map(({ path }) => path), ...difference.gone]
  // What such a file says is of files that stayed as they are too.
  return paths?.some(isSourceText) ? null : difference
}

async function planDifference(tenant: TenantDb, { id, settings }: Repository, { entries, gone }: TreeDifference): Promise<Change[]> {
  const manifest = await readManifest(tenant, id, [...entries.map(({ path }) => path), ...gone])
  const skipBySettings = createSettingsSkip(toSettings(settings))
  return planChanges(entries, manifest, { ...rules, skip: (entry) => skipByEntry(entry) ?? skipBySettings(entry.path) })
}

async function planTree(tenant: TenantDb, repository: Repository, source: Source, head: Head, known: SourceTexts, log: Logger, signal?: AbortSignal): Promise<Change[]> {
  const { id } = repository
  const tree = (await source.tree(head.sha, signal, known.texts)).map(boundEntry)
  const files = await keepSourceTexts(tenant, id, source, tree, known, signal)
  const skipBySettings = createSettingsSkip(await applySettings(tenant, repository, tree, files, log))
  const documents = new Set(tree.filter(({ document }) => document).map(({ path }) => path))
  return planChanges(tree, await readManifest(tenant, id), {
    ...rules,
    skip: (entry) => skipByEntry(entry) ?? (entry.document ? null : skipBySettings(entry.path)),
    sameKind: (from, to) => documents.has(to) || rules.sameKind(from, to),
  })
}

function boundEntry(entry: TreeEntry): TreeEntry {
  const path = boundPath(entry.path)
  return path === entry.path ? entry : { ...entry, path, kept: 'path-too-long' }
}

/** A rename that changes the language changes the chunks. */
const rules: Omit<Rules, 'skip'> = { chunkerVersion, sameKind: (from, to) => languageOf(from) === languageOf(to) }
