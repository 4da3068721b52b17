/** A path as a label: whoever names a file makes no link of a part of it, wherever the label is shown. */
export function toPathLabel(path: string): string {
  return path.replaceAll('](', '] (')
}
