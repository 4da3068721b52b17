/** One entry of a committed tree. `mode` is git's: 100644, 100755, 120000 (symlink), 160000 (submodule). */
export type TreeEntry = {
  path: string
  mode: string
  blobSha: string
  /** Bytes; null for a submodule. */
  size: number | null
  /** True when `.gitattributes` says `linguist-generated` or `linguist-vendored`. */
  generated: boolean
  vendored: boolean
}

/** The committed state of a source that an index is reconciled to. */
export type Head = { sha: string; branch: string | null; committedAt: Date; name: string; url: string | null }

/** Where documents come from. The suite `sourceContract` is the whole test of a new one. */
export type Source = {
  readonly kind: string
  /** @throws NuraError `not-a-repository`, `empty-repository` */
  head(signal?: AbortSignal): Promise<Head>
  /** Every entry of the tree at `sha`, in path order. */
  tree(sha: string, signal?: AbortSignal): Promise<TreeEntry[]>
  /** Blob contents in the order given; memory stays bounded whatever the number. */
  read(blobShas: string[], signal?: AbortSignal): AsyncIterable<{ blobSha: string; bytes: Buffer }>
}
