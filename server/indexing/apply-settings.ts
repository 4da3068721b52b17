import type { TenantDb } from '#db/index.ts'
import { updateRepository } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import type { SourceFile } from '#db/tenant/source-files.ts'
import type { Logger } from '../log.ts'
import type { TreeEntry } from '../sources/source.ts'
import { longestSettings, readSettings, settingsPath, toFault, toSettings } from './settings.ts'
import type { ReadSettings, Settings } from './settings.ts'

/**
 * The settings of a tree, noted with the repository. What is wrong with them is logged once for each version of the file;
 * its author sees it where the repository is shown. A file at fault leaves in force what was.
 */
export async function applySettings(tenant: TenantDb, repository: Repository, tree: readonly TreeEntry[], files: readonly SourceFile[], log: Logger): Promise<Settings> {
  const entry = tree.find(({ path, document }) => path === settingsPath && !document)
  const read = entry ? readEntry(entry, files) : null
  const fault = read?.fault ?? null
  const settingsSha = entry?.blobSha ?? null
  const stored = fault === null ? (read?.settings ?? null) : (repository.settings ?? null)
  const isNew = (repository.settingsSha ?? null) !== settingsSha
  if (isNew || (repository.settingsFault ?? null) !== fault) await updateRepository(tenant, repository.id, { settings: stored, settingsSha, settingsFault: fault })
  // What the file says is nothing for a log.
  if (isNew && fault !== null) log.warn({ repository: repository.name, blob: settingsSha }, 'settings of a repository are at fault; the repository shows how')
  return toSettings(stored)
}

function readEntry(entry: TreeEntry, files: readonly SourceFile[]): ReadSettings {
  const file = files.find(({ path }) => path === settingsPath)
  if (file) return readSettings(file.content)
  return toFault(entry.mode.startsWith('100') ? `it is larger than ${longestSettings / 1024} KB; name folders instead of files` : 'it is no regular file; commit the file itself instead of a link')
}
