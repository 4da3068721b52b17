import type { TreeDifference, TreeEntry } from '../sources/source.ts'

/** The tree that a difference makes of another, in path order. */
export function applyDifference(tree: TreeEntry[], { entries, gone }: TreeDifference): TreeEntry[] {
  const changed = new Set([...gone, ...entries.map(({ path }) => path)])
  return inPathOrder([...tree.filter(({ path }) => !changed.has(path)), ...entries])
}

export function inPathOrder(tree: TreeEntry[]): TreeEntry[] {
  return tree.toSorted((left, right) => (left.path < right.path ? -1 : 1))
}
