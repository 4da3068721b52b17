import type { TenantDb } from '#db/index.ts'
import { keepSourceFiles } from '#db/tenant/source-files.ts'
import type { SourceFile } from '#db/tenant/source-files.ts'
import { isAttributesPath } from '../sources/git-attributes.ts'
import type { KnownTexts, Source, TreeEntry } from '../sources/source.ts'
import { longestSettings, settingsPath } from './settings.ts'

/** Places where a file of owners is looked for; GitHub takes the first that is there. */
export const ownersPaths: readonly string[] = ['.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS']

/** Bytes above which such a file is not kept, and the most `.gitattributes` that are. */
const limits = { owners: 512 * 1024, attributes: 512 * 1024, attributeFiles: 200 }

/** What a run knows of the files that say how to treat the others: those kept by the run before, and every text at hand. */
export type SourceTexts = { kept: readonly SourceFile[]; texts: KnownTexts }

/**
 * Keeps the files of a tree that say how to treat the others: `.nura.yml`, CODEOWNERS and each `.gitattributes`. Only those
 * whose text is not at hand are read, and only where something changed is anything written.
 */
export async function keepSourceTexts(tenant: TenantDb, repositoryId: string, source: Source, tree: readonly TreeEntry[], { kept, texts }: SourceTexts, signal?: AbortSignal): Promise<SourceFile[]> {
  const wanted = selectEntries(tree)
  const missing = [...new Set(wanted.map(({ blobSha }) => blobSha))].filter((blobSha) => !texts.has(blobSha))
  if (missing.length > 0) for await (const { blobSha, bytes } of source.read(missing, signal)) texts.set(blobSha, bytes.toString('utf8'))
  const files = wanted.map(({ path, blobSha }) => ({ path, blobSha, content: texts.get(blobSha)! }))
  if (!isSame(files, kept)) await keepSourceFiles(tenant, repositoryId, files)
  return files
}

/** Whether a file of this path may say how others are treated. */
export function isSourceText(path: string): boolean {
  return path === settingsPath || ownersPaths.includes(path) || isAttributesPath(path)
}

/** Regular files only: a link may point anywhere, and a page may have any name. */
function selectEntries(tree: readonly TreeEntry[]): TreeEntry[] {
  const files = tree.filter(({ mode, document }) => mode.startsWith('100') && !document)
  const isWithin = ({ size }: TreeEntry, largest: number) => size !== null && size <= largest
  const settings = files.filter((entry) => entry.path === settingsPath && isWithin(entry, longestSettings))
  const owners = files.filter((entry) => ownersPaths.includes(entry.path) && isWithin(entry, limits.owners))
  const attributes = files.filter((entry) => isAttributesPath(entry.path) && isWithin(entry, limits.attributes))
  return [...settings, ...owners, ...attributes.slice(0, limits.attributeFiles)]
}

function isSame(files: readonly SourceFile[], kept: readonly SourceFile[]): boolean {
  const known = new Map(kept.map(({ path, blobSha }) => [path, blobSha]))
  return files.length === kept.length && files.every(({ path, blobSha }) => known.get(path) === blobSha)
}
