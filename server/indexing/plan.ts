import type { TreeEntry } from '../sources/source.ts'
import type { SkipReason } from '../sources/skip.ts'

/** What the index holds of a path. */
export type ManifestEntry = { blobSha: string; chunkerVersion: number; skipReason: string | null }
export type Manifest = ReadonlyMap<string, ManifestEntry>

/** One thing to do so that the index is the tree. `move` keeps everything but the path; `keep` needs nothing done. */
export type Change =
  | { kind: 'add' | 'change'; entry: TreeEntry }
  | { kind: 'skip'; entry: TreeEntry; reason: SkipReason }
  | { kind: 'move'; from: string; entry: TreeEntry }
  | { kind: 'remove'; path: string }
  | { kind: 'keep'; entry: TreeEntry; reason: string | null }

export type Rules = {
  chunkerVersion: number
  /** Why an entry is not to be read at all; null when it is. */
  skip(entry: TreeEntry): SkipReason | null
  /** True when a file of this content means the same under both names: it is cut the same way. */
  sameKind(from: string, to: string): boolean
}

/**
 * Holds a tree against a manifest. Needs no history: force pushes, missed and repeated events all end in the tree.
 *
 * Each path of the tree is in exactly one change that is not `remove`; each path of the manifest that the tree lacks is
 * removed or moved from. A file is moved when the same blob left one path and appears at another.
 */
export function planChanges(tree: readonly TreeEntry[], manifest: Manifest, rules: Rules): Change[] {
  const inTree = new Set(tree.map(({ path }) => path))
  const gone = [...manifest].filter(([path]) => !inTree.has(path))
  const movable = new Map<string, string[]>()
  for (const [path, { blobSha, chunkerVersion, skipReason }] of gone) {
    if (chunkerVersion === rules.chunkerVersion && skipReason === null) movable.set(blobSha, [...(movable.get(blobSha) ?? []), path])
  }

  const moved = new Set<string>()
  const changes = tree.map((entry): Change => {
    const reason = rules.skip(entry)
    const known = manifest.get(entry.path)
    const current = known?.blobSha === entry.blobSha && known.chunkerVersion === rules.chunkerVersion
    if (reason !== null) return current && known.skipReason === reason ? { kind: 'keep', entry, reason } : { kind: 'skip', entry, reason }
    // What its content said does not change with the rules for names; what its name said may.
    if (current && (known.skipReason === null || byContent.has(known.skipReason))) return { kind: 'keep', entry, reason: known.skipReason }
    if (known) return { kind: 'change', entry }
    const from = movable.get(entry.blobSha)?.find((path) => !moved.has(path) && rules.sameKind(path, entry.path))
    if (from === undefined) return { kind: 'add', entry }
    moved.add(from)
    return { kind: 'move', from, entry }
  })
  const removed = gone.filter(([path]) => !moved.has(path)).map(([path]): Change => ({ kind: 'remove', path }))
  return [...changes, ...removed]
}

/** Reasons found by reading; the others are found by name, mode, size or attribute. */
const byContent = new Set<string>(['binary', 'minified', 'generated', 'lfs-pointer', 'secret-file', 'unreadable', 'empty'] satisfies SkipReason[])
