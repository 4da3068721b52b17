/** Files of one folder or package that change together. `folder` is '' for the root. */
export type Area<File> = { folder: string; files: File[] }

type Sized = { path: string; additions: number | null; deletions: number | null }

const mostAreas = 8
/** An area that holds more than this share of all changed lines says little: it is told by its folders. */
const tooMuch = 0.45
/** What neither is a folder of the root nor says anything by itself. */
const deepest = 6

/** Puts changed files into the folders that say most about them, the heaviest first. */
export function toAreas<File extends Sized>(files: File[]): Area<File>[] {
  const total = files.reduce((sum, file) => sum + weightOf(file), 0)
  let areas = split({ folder: '', files }, true)
  for (;;) {
    const next = areas
      .filter((area) => area.folder.split('/').length < deepest)
      .map((area) => ({ area, parts: split(area, false) }))
      .filter(({ area, parts }) => isBetter(area, parts, total, areas.length))
      .toSorted((a, b) => weigh(b.area) - weigh(a.area))[0]
    if (!next) break
    areas = areas.flatMap((area) => (area === next.area ? next.parts : [area]))
  }
  return areas.toSorted((a, b) => weigh(b) - weigh(a) || (a.folder < b.folder ? -1 : 1))
}

/** By the next folder below; files that stand in the folder itself stay its own. */
function split<File extends Sized>({ folder, files }: Area<File>, isRoot: boolean): Area<File>[] {
  const parts = new Map<string, File[]>()
  const start = isRoot ? 0 : folder === '' ? -1 : folder.length + 1
  for (const file of files) {
    const end = start < 0 ? -1 : file.path.indexOf('/', start)
    const key = end < 0 ? folder : file.path.slice(0, end)
    parts.set(key, [...(parts.get(key) ?? []), file])
  }
  return [...parts].map(([key, own]) => ({ folder: key, files: own }))
}

function isBetter<File extends Sized>(area: Area<File>, parts: Area<File>[], total: number, now: number): boolean {
  // A folder with one folder in it and nothing else is only a longer way there.
  if (parts.length === 1) return parts[0]!.folder !== area.folder
  return weigh(area) > total * tooMuch && area.files.length > 3 && now - 1 + parts.length <= mostAreas
}

function weigh({ files }: { files: Sized[] }): number {
  return files.reduce((all, file) => all + weightOf(file), 0)
}

function weightOf({ additions, deletions }: Sized): number {
  return (additions ?? 0) + (deletions ?? 0) + 1
}
