import type { SkipReason } from './skip.ts'

/** What a source tells of an entry that is a document of its own, not a file of a repository. */
export type DocumentMark = {
  /** What people call it. */
  title: string
  /** Its own address, https only, built from the source's base address or from our row. */
  url: string | null
  changedAt: Date | null
  contentType: 'documentation' | 'business'
}

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
  /** Present where the entry is a document: its content is text with Markdown's headings, whatever its path ends in. */
  document?: DocumentMark
  /** Why the source itself keeps the entry back, such as a page that not everyone may read. */
  kept?: SkipReason
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

/** What a tree has otherwise than an earlier one: the entries that are new or other, and the paths that it has no more. */
export type TreeDifference = { entries: TreeEntry[]; gone: string[] }

/** Texts of small files by blob sha, which whoever calls may have stored: what is in it is not asked for, what was read is put in. */
export type KnownTexts = Map<string, string>

/** Somebody who committed to the files asked about; `login` where the provider knows the account. */
export type Committer = { name: string; login: string | null; at: Date; /** Commits of theirs among the newest that were looked at; absent where nobody counted. */ commits?: number }

/**
 * Where documents come from. The suite `sourceContract` is the whole test of a new one, `documentSourceContract` that of one
 * whose tree is a listing of documents: its `sha` is a digest of what it lists, and only the newest listing can be read.
 */
export type Source = {
  readonly kind: string
  /** Asks for no more than says whether it can be read. @throws what `head` throws */
  check?(signal?: AbortSignal): Promise<Pick<Head, 'name' | 'url'>>
  /** @throws NuraError `not-a-repository`, `empty-repository` */
  head(signal?: AbortSignal): Promise<Head>
  /** Every entry of the tree at `sha`, in path order. `texts`: those of its `.gitattributes` files, where they cost a call. */
  tree(sha: string, signal?: AbortSignal, texts?: KnownTexts): Promise<TreeEntry[]>
  /**
   * What the tree at `sha` has otherwise than the one at `since`, found by holding the two trees themselves against each other;
   * null where that cannot be done: `since` is not there any more, or a `.gitattributes` differs, which marks other entries too.
   */
  difference?(since: string, sha: string, signal?: AbortSignal, texts?: KnownTexts): Promise<TreeDifference | null>
  /** Files of a tree from which `difference` is the cheaper question than `tree`; any when absent. */
  readonly comparedFrom?: number
  /** Blob contents in the order given; memory stays bounded whatever the number. `kept`: it may be read no more since it was listed. */
  read(blobShas: string[], signal?: AbortSignal): AsyncIterable<{ blobSha: string; bytes: Buffer; kept?: SkipReason }>
  /** Who last committed to these files, up to `sha`: newest first, each person once, no bots. */
  committers?(paths: string[], sha: string, signal?: AbortSignal): Promise<Committer[]>
}
