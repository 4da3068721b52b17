import { createHash } from 'node:crypto'
import type { Head, TreeEntry } from './source.ts'

/** A document as its site lists it, before it is read. */
export type Listed = {
  /** Readable, unique in the listing: two of one name are told apart by `id`. */
  path: string
  /** What the site calls it by, whatever its name. */
  id: string
  /** Changes with every change of its text. */
  version: string
  title: string
  url: string | null
  changedAt: Date | null
  contentType: 'documentation' | 'business'
  /** Why it is not read. Neither its name nor its address is told then. */
  kept?: TreeEntry['kept']
  size?: number
  /** Its sha, where the site has one that does what `toTree` says of it. */
  blobSha?: string
}

/** A listing as a tree, in path order, with what each entry of it is read by. */
export type Tree = { sha: string; entries: TreeEntry[]; byBlob: ReadonlyMap<string, Listed>; changedAt: Date }

/**
 * Makes a tree of a listing. An entry's sha changes with its text and with everything that is shown of it; that of the whole
 * with any of them and with their paths.
 */
export function toTree(listing: readonly Listed[]): Tree {
  const byBlob = new Map<string, Listed>()
  const taken = new Map<string, number>()
  for (const { path } of listing) taken.set(path, (taken.get(path) ?? 0) + 1)
  const entries = listing.map((listed): TreeEntry => {
    const { kept, version, contentType, changedAt, size = 0 } = listed
    const title = kept ? '' : listed.title
    const url = kept ? null : toPublicUrl(listed.url)
    const blobSha = listed.blobSha ?? digest([listed.id, version, title, url, contentType, kept ?? null])
    byBlob.set(blobSha, listed)
    const path = kept ? `${kept}/${listed.id}` : (taken.get(listed.path) ?? 0) > 1 ? `${listed.path} (${listed.id})` : listed.path
    return { path, mode: '100644', blobSha, size, generated: false, vendored: false, document: { title, url, changedAt, contentType }, ...(kept ? { kept } : {}) }
  })
  entries.sort((one, other) => (one.path < other.path ? -1 : one.path > other.path ? 1 : 0))
  const changedAt = new Date(Math.max(0, ...listing.map((listed) => listed.changedAt?.getTime() ?? 0)))
  return { sha: digest(entries.map(({ path, blobSha }) => [path, blobSha])), entries, byBlob, changedAt }
}

export function toListingHead({ sha, changedAt }: Tree, { name, url }: { name: string; url: string | null }): Head {
  return { sha, branch: null, committedAt: changedAt, name, url: toPublicUrl(url), isPublic: false }
}

/** One segment of a path made of a name that people gave. */
export function toSegment(name: string): string {
  const clean = name.toWellFormed().replace(/[\p{Cc}\p{Cf}/\\]+/gu, ' ').replace(/\s+/g, ' ').trim()
  return clean === '' || clean === '.' || clean === '..' ? 'Untitled' : clean.slice(0, 200).toWellFormed()
}

/** A document's text begins with its title, which is most often not a part of what its site holds as text. */
export function withTitle(title: string, text: string): Buffer {
  return Buffer.from(text.startsWith(`# ${title}\n`) ? text : `# ${title}\n\n${text}`)
}

/** An address that people may be sent to. */
export function toPublicUrl(url: string | null): string | null {
  return url !== null && URL.canParse(url) && new URL(url).protocol === 'https:' ? url : null
}

function digest(value: unknown): string {
  return createHash('sha1').update(JSON.stringify(value)).digest('hex')
}
