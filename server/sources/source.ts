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
export type Head = {
  sha: string
  branch: string | null
  committedAt: Date
  /** Its full name today, which may be another than the one it was connected by. */
  name: string
  url: string | null
  /** Whether everybody may read it; null or absent where the source cannot tell. */
  isPublic?: boolean | null
  /** The provider's own lasting id of the repository. */
  externalId?: number
}

/** Texts of small files by blob sha, which whoever calls may have stored: what is in it is not asked for, what was read is put in. */
export type KnownTexts = Map<string, string>

/** Somebody who committed to the files asked about; `login` where the provider knows the account. */
export type Committer = { name: string; login: string | null; at: Date; /** Commits of theirs among the newest that were looked at; absent where nobody counted. */ commits?: number }

/** Where documents come from. The suite `sourceContract` is the whole test of a new one. */
export type Source = {
  readonly kind: string
  /** @throws NuraError `not-a-repository`, `empty-repository` */
  head(signal?: AbortSignal): Promise<Head>
  /** Every entry of the tree at `sha`, in path order. `texts`: those of its `.gitattributes` files, where they cost a call. */
  tree(sha: string, signal?: AbortSignal, texts?: KnownTexts): Promise<TreeEntry[]>
  /** Blob contents in the order given; memory stays bounded whatever the number. */
  read(blobShas: string[], signal?: AbortSignal): AsyncIterable<{ blobSha: string; bytes: Buffer }>
  /** Who last committed to these files, up to `sha`: newest first, each person once, no bots. */
  committers?(paths: string[], sha: string, signal?: AbortSignal): Promise<Committer[]>
}
